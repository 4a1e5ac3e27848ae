import type { SandboxSpec } from '@sandport/driver';

/** The environment of a command with a terminal: its kind is told where nobody has named it. */
export const terminalEnv = (
  { env: ofSandbox }: Pick<SandboxSpec, 'env'>,
  env: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> =>
  'TERM' in ofSandbox ? env : { TERM: 'xterm-256color', ...env };
