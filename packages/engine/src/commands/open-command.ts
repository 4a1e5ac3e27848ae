import type { Readable, Writable } from 'node:stream';
import type { Command, TerminalSize } from '@sandport/driver';
import type { Principal } from '../principal.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import { type CommandResult, resultOf } from './command-result.ts';
import type { CommandOptions } from './commands.ts';

/** A command that is held open; either `args` or `cmd`. */
export type OpenCommandRequest = OpenCommandSettings &
  (
    | { /** Program and arguments, without a shell. */ readonly args: readonly string[] }
    | { /** Command line for /bin/sh -c. */ readonly cmd: string }
  );

export interface OpenCommandSettings {
  /** @default the workdir */
  readonly cwd?: string | undefined;
  /** Added to the environment of the sandbox. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Name or number. @default the sandbox's user */
  readonly user?: string | undefined;
  /** After this the process group is ended. @default none */
  readonly timeoutMs?: number | undefined;
  /** False: the command reads end of file at once. @default false; true with a terminal */
  readonly stdin?: boolean | undefined;
  /** Gives it a terminal: all it writes comes by `stdout` then. @default none */
  readonly terminal?: TerminalSize | undefined;
}

/** A command that runs, with its ends in the hands of the caller. */
export interface OpenCommand {
  /** Process id inside the sandbox. */
  readonly pid: number;
  /** Present when it was asked for, and with a terminal, where its end closes nothing. */
  readonly stdin?: Writable;
  /** Reading slowly slows the command. Must be read or destroyed. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Resolves when the command has ended and what it wrote has been delivered.
   * Rejects with `sandbox_unresponsive` or `invalid_state` when the sandbox is gone.
   */
  readonly exit: Promise<CommandResult>;
  /** To the whole process group. No error when it has ended. */
  kill(signal?: Parameters<Command['kill']>[0]): void;
  /** Of its terminal. Without effect when it has none, or has ended. */
  resize(size: TerminalSize): void;
}

/** Starts one; as {@link Commands.open}. */
export async function openCommand(
  sandboxes: Sandboxes,
  principal: Principal,
  sandbox: string,
  request: OpenCommandRequest,
  options: CommandOptions,
): Promise<OpenCommand> {
  const startedAt = performance.now();
  options.signal?.throwIfAborted();
  const entry = sandboxes.find(principal, sandbox);
  const active = entry.activity.begin();
  try {
    const { commands } = await sandboxes.states.running(entry, options);
    const { cwd, env, user, timeoutMs, stdin, terminal } = request;
    const args = 'args' in request ? request.args : ['/bin/sh', '-c', request.cmd];
    const command = await commands.start({ args, cwd, env, user, timeoutMs, stdin, terminal });
    const exit = command.exit.then((end) => resultOf(end, startedAt));
    const kill = () => command.kill('SIGKILL');
    options.signal?.addEventListener('abort', kill, { once: true });
    if (options.signal?.aborted) kill();
    const release = () => {
      options.signal?.removeEventListener('abort', kill);
      active[Symbol.dispose]();
    };
    exit.then(release, release);
    return {
      pid: command.pid,
      ...(command.stdin === undefined ? {} : { stdin: command.stdin }),
      stdout: command.stdout,
      stderr: command.stderr,
      exit,
      kill: (signal) => command.kill(signal),
      resize: (size) => command.resize(size),
    };
  } catch (error) {
    active[Symbol.dispose]();
    throw error;
  }
}
