import type { Writable } from 'node:stream';
import type { Command, CommandExit, CommandSpec, TerminalSize } from './commands.ts';

export interface KeepSpec extends CommandSpec {
  /** 32 hexadecimal digits that the caller chooses; no other kept command of the sandbox has it. */
  readonly key: string;
  /** Given back as it is, over restarts too. At most 16 KiB as JSON. @default {} */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** Bytes of each stream that are kept; older ones go while it runs. @default 16 MiB */
  readonly outputLimitBytes?: number | undefined;
}

/** What can be read of a stream, by offsets from the first byte that the command wrote. */
export interface KeptRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

export interface KeptChunk {
  /** Of the first byte. */
  readonly offset: number;
  readonly bytes: Buffer;
}

export interface ReadKeptOptions {
  /** Where older bytes are gone, the first chunk has a larger offset. @default 0 */
  readonly since?: number | undefined;
  /**
   * Goes on until the command has ended and all is given. A reader that follows holds the command
   * at the limit, for as long as it takes something every 30 seconds; then bytes go that it has not
   * read, and it sees the gap in the offsets. @default false
   */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface KeptEnd extends CommandExit {
  readonly endedAt: Date;
}

/**
 * A command that goes on, with all that it writes, when its client, the daemon or the connection to
 * the sandbox goes away, and over a hibernation with memory.
 */
export interface KeptCommand {
  readonly key: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Process id inside the sandbox; of one that runs. */
  readonly pid: number | undefined;
  readonly startedAt: Date;
  readonly hasTerminal: boolean;
  /** `lost`: its processes went with those of the sandbox, and nobody knows how it ended. */
  readonly state: 'running' | 'ended' | 'lost';
  readonly end: KeptEnd | undefined;
  /** Of what was kept of a stream. With a terminal all comes by stdout. */
  range(stream: 'stdout' | 'stderr'): KeptRange;
  /**
   * Ends early, with a command that runs, when the driver is closed or the sandbox is removed.
   * @throws the signal's reason
   */
  read(stream: 'stdout' | 'stderr', options?: ReadKeptOptions): AsyncGenerator<KeptChunk>;
  /** Of one that runs and was started with it; the same for all callers. `end()` closes it for good. */
  readonly stdin: Writable | undefined;
  /**
   * Resolves when it is not running any more; with one that runs when the driver is closed or the
   * sandbox is removed.
   */
  readonly ended: Promise<void>;
  /** To the whole process group. No error when it has ended. */
  kill(signal?: Parameters<Command['kill']>[0]): void;
  /** Of its terminal. Without effect when it has none, or has ended. */
  resize(size: TerminalSize): void;
  /** Ends it (SIGTERM, two seconds later SIGKILL) and frees all that is kept of it. */
  remove(): Promise<void>;
}

/** Part of the commands of a sandbox; of one without processes, what can still be read. */
export interface KeptCommands {
  /** Those that run, and those that have ended and were not removed; oldest first. */
  kept(): readonly KeptCommand[];
}

export interface KeptCommandStarter extends KeptCommands {
  /**
   * Resolves once the program runs. At most 256 at one time, ended ones included.
   * @throws SandportFault `command_not_started`, `limit_reached`, `sandbox_unresponsive`,
   * `invalid_state` (also for an init that cannot do it: the sandbox was made by an older release)
   */
  keep(spec: KeepSpec): Promise<KeptCommand>;
}
