import type { CommandObject } from '@sandport/protocol';
import type { Woke } from '../../http/woke.ts';
import { type CommandLine, execBody } from '../command-options.ts';
import type { StartOptions } from '../run-options.ts';
import type { KeptApi } from './kept-api.ts';

/** Starts a command that is kept. */
export function startCommand(
  api: KeptApi,
  command: CommandLine,
  options: Omit<StartOptions, 'background'>,
): Promise<{ info: CommandObject; woke: Woke | undefined }> {
  const { stdin, terminal, outputLimitBytes, cwd, env, user, timeoutMs, signal } = options;
  const body = {
    ...execBody(command, { cwd, env, user, timeoutMs }),
    stdin: stdin === undefined ? undefined : true,
    tty: terminal,
    output_limit_bytes: outputLimitBytes,
  };
  return api.start(body, { signal });
}
