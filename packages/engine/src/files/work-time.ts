import { setImmediate } from 'node:timers/promises';

/** How long synchronous work keeps the event loop before others get their turn, in milliseconds. */
const turnMs = 8;

export interface WorkTimeOptions {
  /** After so long the work ends with what it has, in milliseconds. */
  readonly limitMs: number;
  /** Ends the work early. */
  readonly signal?: AbortSignal;
}

/** Time that one request may work, in turns that leave room for other requests. */
export class WorkTime {
  readonly #endsAtMs: number;
  readonly #signal: AbortSignal | undefined;
  #turnEndsAtMs = performance.now() + turnMs;

  constructor({ limitMs, signal }: WorkTimeOptions) {
    this.#endsAtMs = performance.now() + limitMs;
    this.#signal = signal;
  }

  /** True when the limit is reached, or nobody waits for the result any more. */
  get isUp(): boolean {
    return this.#signal?.aborted === true || performance.now() >= this.#endsAtMs;
  }

  /** True when others should get their turn: call {@link nextTurn}. */
  get turnIsOver(): boolean {
    return performance.now() >= this.#turnEndsAtMs;
  }

  /** Lets everything else run. */
  async nextTurn(): Promise<void> {
    await setImmediate();
    this.#turnEndsAtMs = performance.now() + turnMs;
  }
}
