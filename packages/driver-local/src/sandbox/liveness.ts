import { isAlive } from '@sandport/linux';

export interface ProcessIdentity {
  readonly pid: number;
  /** Start time of the process, which tells it from a later one with its number. */
  readonly startTime: number;
}

interface Watched {
  readonly process: ProcessIdentity;
  readonly onDeath: () => void;
}

/** Looks once a second whether the first processes of all sandboxes are alive. */
export class LivenessWatch {
  readonly #watched = new Map<string, Watched>();
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param intervalMs @default 1000 */
  constructor(intervalMs = 1000) {
    this.#intervalMs = intervalMs;
  }

  /** Calls `onDeath` once, when the process is gone. */
  watch(id: string, process: ProcessIdentity, onDeath: () => void): void {
    this.#watched.set(id, { process, onDeath });
    this.#timer ??= setInterval(() => this.#checkAll(), this.#intervalMs).unref();
  }

  unwatch(id: string): void {
    this.#watched.delete(id);
    if (this.#watched.size === 0) this.close();
  }

  /** Looks at one sandbox at once. */
  check(id: string): void {
    const watched = this.#watched.get(id);
    if (!watched || isAlive(watched.process.pid, watched.process.startTime)) return;
    this.unwatch(id);
    watched.onDeath();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #checkAll(): void {
    for (const id of this.#watched.keys()) this.check(id);
  }
}
