import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const RACER = fileURLToPath(new URL('racer.mjs', import.meta.url));

/**
 * Runs `work` again and again for `durationMs` while another process swaps pairs of names in a
 * directory. Resolves to the number of swaps.
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
  const swaps = text(racer.stdout);
  const ended = once(racer, 'exit');
  const endMs = performance.now() + durationMs;
  try {
    for (let round = 0; performance.now() < endMs; round++) await work(round);
  } finally {
    racer.stdin.end();
    await ended;
  }
  return Number(await swaps);
}
