import type { KeptCommand } from '@sandport/driver';
import {
  endedCommandSeconds,
  type EventType,
  maxEndedCommands,
  maxKeptCommands,
  SandportFault,
} from '@sandport/protocol';
import type { Entry } from '../../sandboxes/entry.ts';
import { keptOf } from './kept-of.ts';

const pruneEveryMs = 600_000;

export interface WatcherOptions {
  readonly entries: () => readonly Entry[];
  readonly emit: (
    row: Entry['row'],
    type: EventType,
    payload: Readonly<Record<string, unknown>>,
  ) => void;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** What is known of the kept commands of one sandbox while it is there. */
interface Watched {
  /** Those that run, and what ends the use of the sandbox by them. */
  readonly running: Map<KeptCommand, Disposable>;
  /** Called, once, when the sandbox got or lost its processes. */
  readonly waiting: Set<() => void>;
}

/**
 * Watches the kept commands of all sandboxes: a sandbox is in use while one runs (one with a
 * terminal: while bytes move), their ends are told as events, and those that ended are forgotten,
 * oldest first beyond a number, and after a day.
 */
export class Watcher implements Disposable {
  readonly #options: WatcherOptions;
  readonly #watched = new WeakMap<Entry, Watched>();
  /** Of each sandbox, how many commands are being started. */
  readonly #starting = new WeakMap<Entry, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** Begins to forget what ended long ago. */
  start(): void {
    const pruneAll = () => {
      for (const entry of this.#options.entries()) this.prune(entry);
    };
    pruneAll();
    this.#timer = setInterval(pruneAll, pruneEveryMs).unref();
  }

  /** To be called when a sandbox got or lost its processes: its commands may be other objects then. */
  sync(entry: Entry): void {
    const watched = this.#of(entry);
    const there = new Set(keptOf(entry));
    for (const [command, use] of watched.running) {
      if (there.has(command)) continue;
      watched.running.delete(command);
      use[Symbol.dispose]();
    }
    for (const command of there) if (command.state === 'running') this.watch(entry, command);
    for (const wake of watched.waiting) wake();
    watched.waiting.clear();
  }

  /** One was started: its end is noticed, and both are told as events. */
  started(entry: Entry, command: KeptCommand): void {
    const { cmd, args } = command.details;
    this.#options.emit(entry.row, 'command_started', {
      command_id: command.key,
      ...(command.pid === undefined ? {} : { pid: command.pid }),
      ...(cmd === undefined ? { args } : { cmd }),
    });
    this.watch(entry, command);
  }

  /** From now on its end is noticed. */
  watch(entry: Entry, command: KeptCommand): void {
    const { running } = this.#of(entry);
    if (running.has(command)) return;
    const moved = () => command.range('stdout').endOffset;
    running.set(command, entry.activity.begin(command.hasTerminal ? moved : undefined));
    const onEnd = () => {
      const use = running.get(command);
      // Its sandbox went with it, or another object stands for it.
      if (use === undefined || command.state === 'running') return;
      running.delete(command);
      use[Symbol.dispose]();
      this.#tell(entry, command);
      this.prune(entry);
    };
    command.ended.then(onEnd, onEnd);
  }

  /** Resolves when the sandbox got or lost its processes, and when `signal` aborts. */
  changed(entry: Entry, signal?: AbortSignal): Promise<void> {
    const { waiting } = this.#of(entry);
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', wake);
        waiting.delete(wake);
        resolve();
      };
      if (signal?.aborted) return resolve();
      signal?.addEventListener('abort', wake, { once: true });
      waiting.add(wake);
    });
  }

  /** Forgets those that ended long ago, or are too many. */
  prune(entry: Entry): void {
    const ended = keptOf(entry).filter(({ state }) => state !== 'running');
    const before = Date.now() - endedCommandSeconds * 1000;
    for (const [index, command] of ended.entries()) {
      const { endedAt } = command.end ?? { endedAt: command.startedAt };
      if (index < ended.length - maxEndedCommands || endedAt.getTime() < before)
        void this.forget(entry, command);
    }
  }

  /**
   * A place among the kept commands, where those of code contexts count too, until the result is
   * disposed of. Where there is none, the one that ended first is forgotten.
   * @throws SandportFault `limit_reached` when all of them run
   */
  async room(entry: Entry): Promise<Disposable> {
    const starting = () => this.#starting.get(entry) ?? 0;
    this.#starting.set(entry, starting() + 1);
    const place = {
      [Symbol.dispose]: () => this.#starting.set(entry, starting() - 1),
    };
    try {
      const kept = entry.sandbox?.commands.kept().length ?? 0;
      await this.#makeRoom(entry, kept + starting() - maxKeptCommands);
      return place;
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    }
  }

  /** Forgets the `count` that ended first. */
  async #makeRoom(entry: Entry, count: number): Promise<void> {
    if (count <= 0) return;
    const ended = keptOf(entry).filter(({ state }) => state !== 'running');
    if (ended.length < count)
      throw new SandportFault(
        'limit_reached',
        `The sandbox ${entry.row.id} has ${maxKeptCommands} commands in the background, code contexts included: end some of them first.`,
        { limit: maxKeptCommands, resource: 'commands' },
      );
    await Promise.all(ended.slice(0, count).map((command) => this.forget(entry, command)));
  }

  /** Frees what is kept of one that has ended. */
  async forget(entry: Entry, command: KeptCommand): Promise<void> {
    try {
      await command.remove();
    } catch (error) {
      this.#options.log('command not forgotten', { sandbox: entry.row.id, error: String(error) });
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #of(entry: Entry): Watched {
    const known = this.#watched.get(entry);
    if (known !== undefined) return known;
    const watched: Watched = { running: new Map(), waiting: new Set() };
    this.#watched.set(entry, watched);
    return watched;
  }

  #tell(entry: Entry, { key, state, end }: KeptCommand): void {
    if (entry.row.status === 'deleted') return;
    this.#options.emit(entry.row, 'command_ended', {
      command_id: key,
      status: state,
      ...(end === undefined ? {} : { exit_code: end.exitCode }),
      ...(end?.signal === undefined ? {} : { signal: end.signal }),
      ...(end?.timedOut ? { timed_out: true } : {}),
      ...(end?.oomKilled ? { oom_killed: true } : {}),
    });
  }
}
