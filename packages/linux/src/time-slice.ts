import { setImmediate } from 'node:timers/promises';

/** How long synchronous calls may keep the event loop before others get their turn. */
const SLICE_MS = 8;

/** Spreads long synchronous work over turns of the event loop. */
export class TimeSlice {
  #endsAtMs = performance.now() + SLICE_MS;

  get isOver(): boolean {
    return performance.now() >= this.#endsAtMs;
  }

  /** Lets everything else run. */
  async yield(): Promise<void> {
    await setImmediate();
    this.#endsAtMs = performance.now() + SLICE_MS;
  }
}
