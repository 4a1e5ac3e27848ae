import type { GuestNames } from '../names.ts';
import type { Pin } from '../ruleset.ts';

/** How long an address stays open at least and at most, whatever its name's records say. */
export const leastPinSeconds = 30;
export const mostPinSeconds = 3600;
/** An address stays open for longer than the answer is good for: it is used a moment later. */
const graceSeconds = 15;
/** What is remembered of one sandbox; the kernel has no room for more either. */
const mostRemembered = 16_384;

/** Opens addresses for sandboxes, many with one call of nftables. */
export class Pins {
  readonly #open: (pins: readonly Pin[]) => Promise<void>;
  /** Sandbox by its chain → address and port → when it closes, on the clock of `performance.now`. */
  readonly #until = new Map<string, Map<string, number>>();
  #waiting: { pins: Pin[]; done: Promise<void> } | undefined;
  #running: Promise<void> = Promise.resolve();

  /** @param open opens addresses in the kernel */
  constructor(open: (pins: readonly Pin[]) => Promise<void>) {
    this.#open = open;
  }

  /**
   * Resolves when all of them are open, each for `seconds` and a little longer.
   * @throws whatever `open` throws
   */
  async open(
    guest: GuestNames,
    targets: readonly { readonly address: string; readonly port?: number | undefined }[],
    seconds: number,
  ): Promise<void> {
    const nowMs = performance.now();
    const neededMs = nowMs + seconds * 1000;
    const known = this.#of(guest);
    const missing = targets.filter(
      ({ address, port }) => (known.get(`${address} ${port ?? ''}`) ?? 0) < neededMs,
    );
    if (missing.length === 0) return;
    const pins = missing.map((target) => ({ guest, ...target, seconds: seconds + graceSeconds }));
    await this.#queue(pins);
    if (this.#until.get(guest.chain) !== known) return;
    for (const { address, port } of missing)
      known.set(`${address} ${port ?? ''}`, nowMs + (seconds + graceSeconds) * 1000);
  }

  /** Its addresses were closed, or it is gone. */
  forget(guest: GuestNames): void {
    this.#until.delete(guest.chain);
  }

  #of({ chain }: GuestNames): Map<string, number> {
    const known = this.#until.get(chain) ?? new Map<string, number>();
    if (known.size > mostRemembered) {
      const nowMs = performance.now();
      for (const [key, untilMs] of known) if (untilMs < nowMs) known.delete(key);
      if (known.size > mostRemembered) known.clear();
    }
    this.#until.set(chain, known);
    return known;
  }

  /** While one call runs, what comes meanwhile waits for the next one together. */
  #queue(pins: readonly Pin[]): Promise<void> {
    if (this.#waiting !== undefined) {
      this.#waiting.pins.push(...pins);
      return this.#waiting.done;
    }
    const next: { pins: Pin[]; done: Promise<void> } = { pins: [...pins], done: Promise.resolve() };
    this.#waiting = next;
    next.done = this.#running.then(() => {
      this.#waiting = undefined;
      return this.#open(next.pins);
    });
    this.#running = next.done.catch(() => undefined);
    return next.done;
  }
}
