import { createHash } from 'node:crypto';
import type { Sandbox } from 'sandport';

const mebibyte = 2 ** 20;
/** Text, and with its end of line a part of a mebibyte. */
const line = 'x'.repeat(63);

export interface Streamed {
  /** Until the first byte came. */
  readonly firstByteMs: number;
  readonly mibPerSecond: number;
}

/**
 * Reads what a command writes as it comes, and checks that it is all there.
 * @throws Error when a byte is missing or another
 */
export async function streamOutput(sandbox: Sandbox, mib: number): Promise<Streamed> {
  const hash = createHash('sha256');
  const startedAt = performance.now();
  let firstByteMs: number | undefined;
  await sandbox.commands.run(`yes ${line} | head -c ${mib * mebibyte}`, {
    onStdout: (text) => {
      firstByteMs ??= performance.now() - startedAt;
      hash.update(text);
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const expected = createHash('sha256');
  const part = Buffer.from(`${line}\n`.repeat(mebibyte / (line.length + 1)));
  for (let index = 0; index < mib; index++) expected.update(part);
  if (hash.digest('hex') !== expected.digest('hex'))
    throw new Error('the output is not what was written');
  return { firstByteMs: firstByteMs ?? Number.NaN, mibPerSecond: mib / seconds };
}
