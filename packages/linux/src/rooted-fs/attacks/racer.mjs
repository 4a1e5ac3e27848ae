// The hostile guest of race.test.ts: swaps pairs of names as fast as the kernel can, until its
// standard input ends. Arguments: a directory, then pairs of names in it. Writes a line with the
// number of swaps so far when it begins, at most every 100 ms, and at its end.
import { openSync } from 'node:fs';
import koffi from 'koffi';

const [directory, ...names] = process.argv.slice(2);
const RENAME_EXCHANGE = 2;
const renameat2 = koffi
  .load(null)
  .func('int renameat2(int fromDir, void *from, int toDir, void *to, uint32_t flags)');
const fd = openSync(directory, 'r');
const pairs = [];
for (let index = 0; index < names.length; index += 2) {
  pairs.push([Buffer.from(`${names[index]}\0`), Buffer.from(`${names[index + 1]}\0`)]);
}

let swaps = 0;
let toldAt = 0;
let running = true;
process.stdin.on('end', () => {
  running = false;
});
process.stdin.resume();

function swapForAWhile() {
  for (let round = 0; round < 200; round++) {
    for (const [left, right] of pairs) {
      if (renameat2(fd, left, fd, right, RENAME_EXCHANGE) === 0) swaps++;
    }
  }
  if (!running || performance.now() - toldAt > 100) tell();
  if (running) setImmediate(swapForAWhile);
}

function tell() {
  toldAt = performance.now();
  process.stdout.write(`${swaps}\n`);
}

tell();
swapForAWhile();
