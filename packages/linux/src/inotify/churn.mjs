// A busy guest for churn.test.ts: makes, writes, moves and removes files and directories as fast as
// it can. Arguments: two directories, a seed and a number of operations. What fails, fails.
import * as fs from 'node:fs';
import koffi from 'koffi';

const [inside, outside, seed, count] = process.argv.slice(2);
const RENAME_EXCHANGE = 2;
const renameat2 = koffi
  .load(null)
  .func('int renameat2(int fromDir, const char *from, int toDir, const char *to, uint32_t flags)');

let state = Number(seed) >>> 0;
/** Mulberry32: the same numbers for the same seed. */
function random(limit) {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

const name = () => 'abcd'[random(4)];
function place() {
  const depth = 1 + random(3);
  return `${inside}/${Array.from({ length: depth }, name).join('/')}`;
}

const operations = [
  () => fs.writeFileSync(place(), 'x'),
  () => fs.appendFileSync(place(), 'x'),
  () => fs.mkdirSync(place(), { recursive: true }),
  () => fs.mkdirSync(`${place()}/${name()}/${name()}`, { recursive: true }),
  () => fs.renameSync(place(), place()),
  () => fs.renameSync(place(), place()),
  () => fs.renameSync(place(), `${outside}/${name()}`),
  () => fs.renameSync(`${outside}/${name()}`, place()),
  () => renameat2(-100, place(), -100, place(), RENAME_EXCHANGE),
  () => fs.rmSync(place(), { recursive: true }),
  () => fs.unlinkSync(place()),
  // A link that climbs would lead the string paths above out of the test's directories.
  () => fs.symlinkSync('.', place()),
  () => fs.chmodSync(place(), 0o700),
];

for (let done = 0; done < Number(count); done++) {
  try {
    operations[random(operations.length)]();
  } catch {
    // The place was not there, or taken.
  }
}
