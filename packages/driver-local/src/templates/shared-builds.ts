type Listener = (line: string) => void;

interface RunningBuild {
  readonly key: string;
  readonly done: Promise<void>;
  readonly listeners: Set<Listener>;
  readonly abort: AbortController;
  waiting: number;
}

export interface JoinOptions {
  readonly onLine?: Listener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Builds that are under way, several callers to one. A build ends early when the last caller that
 * waits for it has gone.
 */
export class SharedBuilds {
  readonly #builds = new Map<string, Set<RunningBuild>>();

  /** True while something is built under this name. */
  has(name: string): boolean {
    return this.#builds.has(name);
  }

  get names(): readonly string[] {
    return [...this.#builds.keys()];
  }

  /** Joins the build of `name` with this key, or starts it. @throws what it throws, or the signal */
  async join(
    name: string,
    key: string,
    start: (onLine: Listener, signal: AbortSignal) => Promise<void>,
    { onLine, signal }: JoinOptions,
  ): Promise<void> {
    signal?.throwIfAborted();
    const same = [...(this.#builds.get(name) ?? [])].find(
      (build) => build.key === key && !build.abort.signal.aborted,
    );
    const build = same ?? this.#start(name, key, start);
    if (onLine) build.listeners.add(onLine);
    build.waiting += 1;
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      await Promise.race([build.done, aborted]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (onLine) build.listeners.delete(onLine);
      build.waiting -= 1;
      // Whoever leaves last waits until nothing of it is left.
      if (build.waiting === 0 && signal?.aborted) {
        build.abort.abort(signal.reason);
        await build.done.catch(() => {});
      }
    }
  }

  /** Ends all of them and waits until nothing of them is left. */
  async close(reason: Error): Promise<void> {
    const all = [...this.#builds.values()].flatMap((builds) => [...builds]);
    for (const { abort } of all) abort.abort(reason);
    await Promise.allSettled(all.map(({ done }) => done));
  }

  #start(
    name: string,
    key: string,
    start: (onLine: Listener, signal: AbortSignal) => Promise<void>,
  ): RunningBuild {
    const abort = new AbortController();
    const listeners = new Set<Listener>();
    const onLine = (line: string) => {
      for (const listener of listeners) listener(line);
    };
    const builds = this.#builds.get(name) ?? new Set<RunningBuild>();
    this.#builds.set(name, builds);
    const done = start(onLine, abort.signal).finally(() => {
      builds.delete(build);
      if (builds.size === 0) this.#builds.delete(name);
    });
    done.catch(() => {});
    const build: RunningBuild = { key, done, listeners, abort, waiting: 0 };
    builds.add(build);
    return build;
  }
}
