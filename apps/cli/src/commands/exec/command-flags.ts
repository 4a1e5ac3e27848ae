import type { Command } from 'commander';
import { keyValue, seconds } from '../../parse/values.ts';

/** How a command runs. */
export interface CommandFlags {
  cwd?: string;
  env?: Record<string, string>;
  user?: string;
  timeout?: number;
}

export function addCommandFlags(command: Command): Command {
  return command
    .option('--cwd <dir>', 'working directory')
    .option('--env <key=value>', 'environment; can be repeated', keyValue)
    .option('--user <user>', 'name or number')
    .option('--timeout <time>', 'end the command after this time: 90s, 15m', seconds);
}

/** The same as options of the SDK. */
export const commandOptions = ({ cwd, env, user, timeout }: CommandFlags) => ({
  cwd,
  env,
  user,
  timeoutMs: timeout === undefined ? undefined : timeout * 1000,
});
