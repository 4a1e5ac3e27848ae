import { Buffer } from 'node:buffer';

/** How a command runs. */
export interface CommandOptions {
  /** Working directory in the sandbox. @default the sandbox's workdir */
  cwd?: string | undefined;
  /** Added to the environment of the sandbox. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Name or number. @default the sandbox's user */
  user?: string | undefined;
  /** Milliseconds after which the command's process group is ended. @default never */
  timeoutMs?: number | undefined;
  /** Given to the command, whose input is then closed. @default nothing */
  stdin?: string | Uint8Array | undefined;
  /** Bytes kept of each of stdout and stderr. @default 10485760 */
  maxOutputBytes?: number | undefined;
  /** Ends the command when it is aborted. */
  signal?: AbortSignal | undefined;
}

/** A line for the shell, or a program and its arguments without a shell. */
export type CommandLine = string | readonly string[];

/** The API's body for a command. */
export function execBody(command: CommandLine, options: CommandOptions): Record<string, unknown> {
  const { cwd, env, user, timeoutMs, stdin, maxOutputBytes } = options;
  return {
    ...(typeof command === 'string' ? { cmd: command } : { args: command }),
    cwd,
    env,
    user,
    timeout_seconds: timeoutMs === undefined ? undefined : timeoutMs / 1000,
    max_output_bytes: maxOutputBytes,
    ...stdinFields(stdin),
  };
}

function stdinFields(stdin: string | Uint8Array | undefined) {
  if (stdin === undefined) return {};
  if (typeof stdin === 'string') return { stdin };
  const { buffer, byteOffset, byteLength } = stdin;
  return { stdin_base64: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
}
