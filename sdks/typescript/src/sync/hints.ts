import { setTimeout as sleep } from 'node:timers/promises';

export interface HintOptions {
  /** Milliseconds without a hint after which the last ones are acted on. */
  readonly debounceMs: number;
  /** Milliseconds after which `next` resolves without a hint. */
  readonly rescanMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Gathers reports that come in bursts. */
export class Hints {
  readonly #options: HintOptions;
  #wake: AbortController | undefined;
  #given = 0;
  #taken = 0;

  constructor(options: HintOptions) {
    this.#options = options;
  }

  give(): void {
    this.#given += 1;
    this.#wake?.abort();
  }

  /** Resolves after hints and a quiet moment, after the rescan time, or when the signal is aborted. */
  async next(): Promise<void> {
    const { debounceMs, rescanMs, signal } = this.#options;
    if (this.#given === this.#taken) await this.#pause(rescanMs);
    // Under constant change a sync still comes, every rescan time.
    const latest = performance.now() + rescanMs;
    while (this.#given !== this.#taken && performance.now() < latest && signal?.aborted !== true) {
      this.#taken = this.#given;
      await this.#pause(debounceMs);
    }
    this.#taken = this.#given;
  }

  /** Ends early with a hint or the signal. */
  async #pause(ms: number): Promise<void> {
    this.#wake = new AbortController();
    const { signal } = this.#options;
    const ends = signal ? AbortSignal.any([signal, this.#wake.signal]) : this.#wake.signal;
    await sleep(ms, undefined, { signal: ends }).catch(() => {});
    this.#wake = undefined;
  }
}
