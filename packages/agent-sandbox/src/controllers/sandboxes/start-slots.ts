import type { Engine } from '@sandport/engine';
import type { Isolation } from '@sandport/protocol';
import { FairSlots } from '../work/fair-slots.ts';

/** What decides whether a sandbox may be one that was made ahead. */
export interface StartWish {
  readonly namespace: string;
  readonly template: string;
  readonly isolation: Isolation | undefined;
  readonly diskMb: number | undefined;
  /** Undefined: as its template or its namespace says. */
  readonly networked: boolean | undefined;
  readonly hasVolumes: boolean;
}

/**
 * Bounds the starts at one time, as each takes the machine for a while. Those that find a sandbox
 * made ahead need not wait.
 */
export class StartSlots {
  readonly #pools: Pick<Engine['pools'], 'readyFor'>;
  readonly #cold: FairSlots;
  /** Starts under way that were let pass, by what they take. */
  readonly #taking = new Map<string, number>();

  constructor(pools: Pick<Engine['pools'], 'readyFor'>, atOnce: number) {
    this.#pools = pools;
    this.#cold = new FairSlots(atOnce);
  }

  /** Resolves when it may start; to be disposed of when it has. Rejects when `signal` aborts. */
  async enter(wish: StartWish, signal: AbortSignal): Promise<Disposable> {
    const { template, isolation, diskMb, networked } = wish;
    const key = JSON.stringify([template, isolation, diskMb, networked]);
    const taking = this.#taking.get(key) ?? 0;
    if (wish.hasVolumes || this.#pools.readyFor(wish) <= taking)
      return this.#cold.enter(wish.namespace, signal);
    this.#taking.set(key, taking + 1);
    return { [Symbol.dispose]: () => this.#leave(key) };
  }

  #leave(key: string): void {
    const taking = (this.#taking.get(key) ?? 1) - 1;
    if (taking === 0) this.#taking.delete(key);
    else this.#taking.set(key, taking);
  }
}
