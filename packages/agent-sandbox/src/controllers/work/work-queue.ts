export interface WorkQueueOptions {
  readonly name: string;
  /**
   * Brings one object to what it should be. Resolves with the milliseconds after which to look
   * again, or undefined. It is called again, later each time, after it has rejected.
   */
  readonly reconcile: (key: string) => Promise<number | undefined>;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

const firstRetryMs = 250;
const longestRetryMs = 60_000;
/** The longest that a timer of Node can wait. */
const longestTimerMs = 2_147_483_647;

/** Keys of objects to be looked at: one at a time for each key, any number of keys at once. */
export class WorkQueue implements AsyncDisposable {
  readonly #options: WorkQueueOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, { readonly at: number; readonly timer: NodeJS.Timeout }>();
  readonly #failures = new Map<string, number>();
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** The key is looked at as soon as this turn of the event loop has ended, and once more if it is now. */
  add(key: string): void {
    if (this.#closed) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#clear(key);
    this.#running.set(
      key,
      Promise.resolve().then(() => this.#run(key)),
    );
  }

  /** The earlier one of two such calls counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    const at = Date.now() + delayMs;
    const before = this.#timers.get(key);
    if (before !== undefined && before.at <= at) return;
    this.#clear(key);
    const timer = setTimeout(
      () => this.add(key),
      Math.min(Math.max(delayMs, 0), longestTimerMs),
    ).unref();
    this.#timers.set(key, { at, timer });
  }

  /** Resolves when nothing runs any more; nothing begins after the call. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#running.values());
  }

  async #run(key: string): Promise<void> {
    const { reconcile, name, log } = this.#options;
    let againAfterMs: number | undefined;
    try {
      againAfterMs = await reconcile(key);
      this.#failures.delete(key);
    } catch (error) {
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      againAfterMs =
        Math.min(firstRetryMs * 2 ** failures, longestRetryMs) * (0.75 + Math.random() / 2);
      log(`${name} not reconciled`, {
        key,
        error: String(error),
        again_in_ms: Math.round(againAfterMs),
      });
    }
    this.#running.delete(key);
    if (this.#again.delete(key)) this.add(key);
    else if (againAfterMs !== undefined) this.addAfter(key, againAfterMs);
  }

  #clear(key: string): void {
    clearTimeout(this.#timers.get(key)?.timer);
    this.#timers.delete(key);
  }
}
