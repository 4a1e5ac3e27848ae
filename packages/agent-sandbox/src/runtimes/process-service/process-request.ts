import type { LocatedSandbox } from '../../sandboxes/sandbox-directory.ts';
import type { ProcessConfig } from './messages.ts';
import { invalid } from './status-error.ts';

/** What is to be run, checked. */
export interface ProcessRequest {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const hasNul = (text: string): boolean => text.includes('\0');

/**
 * Checks what a client wants to be run. It runs in the home directory, or in the one that is named
 * from there. @throws StatusError
 */
export function processRequestOf(
  config: ProcessConfig | null,
  { home }: Pick<LocatedSandbox, 'home'>,
): ProcessRequest {
  if (config === null || config.command.length === 0) throw invalid('The command is empty.');
  const { command: args, envVars: env, cwd = '' } = config;
  if (args.some(hasNul) || hasNul(cwd)) throw invalid('The command holds a NUL byte.');
  for (const [name, value] of Object.entries(env))
    if (name === '' || name.includes('=') || hasNul(name) || hasNul(value))
      throw invalid(`The environment has no variable ${JSON.stringify(name.slice(0, 100))}.`);
  const base = home === '/' ? '' : home;
  return { args, env, cwd: cwd.startsWith('/') ? cwd : cwd === '' ? home : `${base}/${cwd}` };
}
