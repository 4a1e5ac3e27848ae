import { runProgram } from '@sandport/linux';
import { runtimeEnvironment, withLastWords } from './start.ts';
import { type Runtime, shortLivedGo } from './runtime.ts';

export interface CheckpointOptions {
  readonly id: string;
  /** Where the runtime keeps its own state. */
  readonly stateDir: string;
  /** Empty directory for the image. */
  readonly imageDir: string;
  /** File that the runtime writes its errors to. */
  readonly log: string;
}

/**
 * Writes the memory of a gVisor sandbox to an image; the sandbox ends with it, also when the
 * writing fails half-way. No host file that is not in its root may be open inside.
 * @throws Error with the runtime's last words
 */
export async function checkpointWithRuntime(
  runtime: Runtime,
  { id, stateDir, imageDir, log }: CheckpointOptions,
): Promise<void> {
  const args = [...runtime.flags, '--root', stateDir, '--log', log, '--log-format', 'json'];
  args.push('checkpoint', '--image-path', imageDir, id);
  const options = {
    env: { ...runtimeEnvironment(runtime), ...shortLivedGo },
    files: 'nothing',
  } as const;
  try {
    await runProgram(runtime.program, args, options);
  } catch (cause) {
    throw withLastWords(cause, log);
  }
}
