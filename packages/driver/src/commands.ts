import type { KeptCommandStarter } from './kept-commands.ts';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { SignalName } from '@sandport/protocol';

export interface CommandSpec {
  /** Program and arguments; the program is looked up in PATH. At least one. */
  readonly args: readonly string[];
  /** @default the sandbox's workdir */
  readonly cwd?: string | undefined;
  /** Added to the sandbox's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Name or number. @default the sandbox's user */
  readonly user?: string | undefined;
  /** After this the process group gets SIGTERM, then SIGKILL two seconds later. @default none */
  readonly timeoutMs?: number | undefined;
  /** False: the command reads end of file at once. @default false; true with a terminal */
  readonly stdin?: boolean | undefined;
  /** Gives it a terminal: then `stderr` stays empty, and all it writes comes by `stdout`. @default none */
  readonly terminal?: TerminalSize | undefined;
}

/** Of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface CommandExit {
  /** Exit code, or 128 + signal number. */
  readonly exitCode: number;
  /** As SIGKILL. */
  readonly signal?: string | undefined;
  readonly timedOut: boolean;
  readonly oomKilled: boolean;
}

/** A command that was started in a sandbox. */
export interface Command {
  /** Process id inside the sandbox. */
  readonly pid: number;
  /** Bytes as written. Reading slowly slows the command, not the others. Must be read or destroyed. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Present when the spec asked for it. */
  readonly stdin?: Writable | undefined;
  /**
   * Resolves when the command has ended and what it wrote until then has been delivered. Processes
   * it left in the background do not delay it.
   * Rejects with `sandbox_unresponsive` or `invalid_state` when the sandbox is gone.
   */
  readonly exit: Promise<CommandExit>;
  /** To the whole process group. No error when it has ended. */
  kill(signal?: SignalName): void;
  /** Of its terminal. Without effect when it has none, or has ended. */
  resize(size: TerminalSize): void;
}

/** A TCP connection to a port of a sandbox; the counts are those of a `Socket` of `node:net`. */
export interface PortConnection extends Duplex {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export interface SandboxCommands extends KeptCommandStarter {
  /**
   * Resolves once the program runs.
   * @throws SandportFault `command_not_started`, `sandbox_unresponsive` (no answer within 10 s),
   * `invalid_state`
   */
  start(spec: CommandSpec): Promise<Command>;

  /**
   * Connects to a TCP port on the sandbox's own loopback. The result ends one direction with `end()`
   * and goes on reading. It breaks when the sandbox is hibernated or ended; a pause holds it.
   * @throws SandportFault `port_not_open`, `limit_reached`, `sandbox_unresponsive`, `invalid_state`
   */
  connect(port: number): Promise<PortConnection>;
}
