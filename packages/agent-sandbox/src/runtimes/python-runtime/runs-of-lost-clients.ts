/** After so long without its client a command is ended, or its result forgotten, in milliseconds. */
const defaultGraceMs = 12_000;

/** Most results that wait for a client at one time. */
const maxResults = 32;

/**
 * A replay can be seen before the end of the connection that it replaces, by so much, in
 * milliseconds.
 */
const overtakingMs = 100;

/** Clients that give up reading have waited longer than this, in milliseconds. */
const shortestPatienceMs = 250;

export interface RunsOptions {
  /** @default 12_000 */
  readonly graceMs?: number;
}

/** One command that was begun. */
interface Run<Result> {
  readonly key: string;
  readonly abort: AbortController;
  readonly result: Promise<Result>;
  readonly begunAtMs: number;
  ended: boolean;
  forget: NodeJS.Timeout | undefined;
}

/**
 * Runs a command exactly once although its client sends the request again. Clients exist that give
 * up reading after a while and send the same POST up to five times, with pauses of at most eight
 * seconds between. So a command whose client went away without an answer goes on for a grace of
 * twelve seconds. The same request within the grace joins it, running or ended; without one the
 * command is ended. A request whose like was answered, or is waited for by a client that stays
 * connected, begins anew. What cannot be told is a client that gives up in the very moment in which
 * its answer is sent.
 */
export class RunsOfLostClients<Result> implements Disposable {
  readonly #graceMs: number;
  /** Runs without a client, the longest lost first. */
  readonly #lost = new Set<Run<Result>>();
  /** Runs that a client waits for. */
  readonly #waitedFor = new Set<Run<Result>>();
  /** Called with each run that loses its client. */
  readonly #watchers = new Set<(run: Run<Result>) => void>();

  constructor({ graceMs = defaultGraceMs }: RunsOptions = {}) {
    this.#graceMs = graceMs;
  }

  /**
   * @param key the same for requests that are the same
   * @param begin begins the command; its signal ends it
   * @param gone aborts when the client has gone
   * @returns the result; undefined when the client has gone before it
   */
  async run(
    key: string,
    begin: (signal: AbortSignal) => Promise<Result>,
    gone: AbortSignal,
  ): Promise<Result | undefined> {
    if (this.#mayOvertake(key)) await this.#nextLost(key);
    // Nothing was begun: a replay may begin it.
    if (gone.aborted && this.#findLost(key) === undefined) return undefined;
    const run = this.#findLost(key) ?? this.#begin(key, begin);
    this.#lost.delete(run);
    this.#waitedFor.add(run);
    clearTimeout(run.forget);
    const lost = new Promise<undefined>((resolve) => {
      // Also while the answer is on its way: only one that went out whole was given.
      const lose = () => {
        this.#lose(run);
        resolve(undefined);
      };
      if (gone.aborted) lose();
      else gone.addEventListener('abort', lose, { once: true });
    });
    return Promise.race([run.result, lost]);
  }

  /** Ends what no client waits for. */
  [Symbol.dispose](): void {
    for (const run of this.#lost) this.#drop(run);
  }

  #findLost(key: string): Run<Result> | undefined {
    for (const run of this.#lost) if (run.key === key) return run;
    return undefined;
  }

  /** A connected client waits so long for the same that this request may be its replay. */
  #mayOvertake(key: string): boolean {
    if (this.#findLost(key) !== undefined) return false;
    const since = performance.now() - shortestPatienceMs;
    for (const run of this.#waitedFor) if (run.key === key && run.begunAtMs < since) return true;
    return false;
  }

  /** Waits a moment for a run that loses its client. */
  #nextLost(key: string): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        resolve();
      };
      const watch = (run: Run<Result>) => {
        if (run.key === key) done();
      };
      const timer = setTimeout(done, overtakingMs);
      this.#watchers.add(watch);
    });
  }

  #begin(key: string, begin: (signal: AbortSignal) => Promise<Result>): Run<Result> {
    const abort = new AbortController();
    const result = begin(abort.signal);
    const begunAtMs = performance.now();
    const run: Run<Result> = { key, abort, result, begunAtMs, ended: false, forget: undefined };
    const end = () => {
      run.ended = true;
      this.#waitedFor.delete(run);
      this.#forgetOldest();
    };
    result.then(end, end);
    return run;
  }

  #lose(run: Run<Result>): void {
    this.#waitedFor.delete(run);
    this.#lost.add(run);
    for (const watch of this.#watchers) watch(run);
    run.forget = setTimeout(() => this.#drop(run), this.#graceMs).unref();
    this.#forgetOldest();
  }

  #drop(run: Run<Result>): void {
    this.#lost.delete(run);
    clearTimeout(run.forget);
    if (!run.ended) run.abort.abort();
  }

  #forgetOldest(): void {
    const ended = [...this.#lost].filter((run) => run.ended);
    for (const run of ended.slice(0, Math.max(ended.length - maxResults, 0))) this.#drop(run);
  }
}
