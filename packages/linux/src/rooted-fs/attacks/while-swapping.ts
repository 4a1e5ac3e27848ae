import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const RACER = fileURLToPath(new URL('racer.mjs', import.meta.url));

/** Below this number of swaps, work goes on beyond its time. */
const leastSwaps = 1_500;
const mostExtraMs = 30_000;

/**
 * Runs `work` again and again while another process swaps pairs of names in a directory: for
 * `durationMs` from when that one begins, and longer, at most by 30 s, on a machine that gives that
 * process little time. Resolves to the number of swaps.
 */
export async function whileSwapping(
  directory: string,
  pairs: readonly string[],
  durationMs: number,
  work: (round: number) => Promise<void>,
): Promise<number> {
  const racer = spawn(process.execPath, [RACER, directory, ...pairs], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let swaps = 0;
  const lines = createInterface(racer.stdout);
  lines.on('line', (line) => {
    swaps = Number(line);
  });
  const ended = once(racer, 'close');
  try {
    await Promise.race([once(lines, 'line'), ended]);
    const endMs = performance.now() + durationMs;
    const isOver = (nowMs: number) =>
      nowMs >= endMs && (swaps >= leastSwaps || nowMs >= endMs + mostExtraMs);
    for (let round = 0; !isOver(performance.now()); round++) await work(round);
  } finally {
    racer.stdin.end();
    await ended;
  }
  return swaps;
}
