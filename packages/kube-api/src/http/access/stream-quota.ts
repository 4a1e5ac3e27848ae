import { KubeError } from '../../objects/kube-error.ts';
import type { Caller } from '../caller.ts';

/** Counts the connections for streams that each caller has open, and bounds them. */
export class StreamQuota {
  readonly #maxOpen: number;
  readonly #open = new Map<string, number>();

  constructor(maxOpen = 1000) {
    this.#maxOpen = maxOpen;
  }

  /**
   * Counts one more while `action` runs.
   * @throws KubeError `TooManyRequests`, and whatever the action throws
   */
  async during(caller: Caller, action: () => Promise<void>): Promise<void> {
    const open = this.#open.get(caller.name) ?? 0;
    if (open >= this.#maxOpen) {
      throw new KubeError(
        'TooManyRequests',
        `${caller.name} has ${open} connections to pods open, which is the most: close some first`,
      );
    }
    this.#open.set(caller.name, open + 1);
    try {
      await action();
    } finally {
      this.#close(caller.name);
    }
  }

  #close(name: string): void {
    const left = (this.#open.get(name) ?? 1) - 1;
    if (left > 0) this.#open.set(name, left);
    else this.#open.delete(name);
  }
}
