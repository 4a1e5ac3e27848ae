import { isForName, type NetworkRule } from '@sandport/protocol';
import type { GuestNames } from '../names.ts';
import type { Pin } from '../ruleset.ts';

/** How long an address stays open at least and at most, whatever its name's records say. */
export const leastPinSeconds = 30;
export const mostPinSeconds = 3600;
/** An address stays open for longer than the answer is good for: it is used a moment later. */
const graceSeconds = 15;
/** What is remembered of one sandbox; the kernel has no room for more either. */
const mostRemembered = 16_384;

/** An address, and the port of its rule where that has one. */
export interface PinTarget {
  readonly address: string;
  readonly port?: number | undefined;
}

interface OpenPin extends PinTarget {
  readonly name: string;
  /** On the clock of `performance.now`. */
  readonly untilMs: number;
}

const keyOf = ({ address, port }: PinTarget): string => `${address} ${port ?? ''}`;

/** Opens addresses for sandboxes, many with one call of nftables. */
export class Pins {
  readonly #open: (pins: readonly Pin[]) => Promise<void>;
  /** Sandbox by its chain → address and port → what is open. */
  readonly #known = new Map<string, Map<string, OpenPin>>();
  #waiting: { pins: Pin[]; done: Promise<void> } | undefined;
  #running: Promise<void> = Promise.resolve();

  /** @param open opens addresses in the kernel */
  constructor(open: (pins: readonly Pin[]) => Promise<void>) {
    this.#open = open;
  }

  /**
   * Resolves when all of them are open, each for `seconds` and a little longer.
   * @param name what they are the answer for @throws whatever `open` throws
   */
  async open(
    guest: GuestNames,
    name: string,
    targets: readonly PinTarget[],
    seconds: number,
  ): Promise<void> {
    const nowMs = performance.now();
    const known = this.#of(guest);
    const missing = targets.filter(
      (target) => (known.get(keyOf(target))?.untilMs ?? 0) < nowMs + seconds * 1000,
    );
    if (missing.length === 0) return;
    const forSeconds = seconds + graceSeconds;
    await this.#queue(missing.map((target) => ({ guest, ...target, seconds: forSeconds })));
    if (this.#known.get(guest.chain) !== known) return;
    const untilMs = nowMs + forSeconds * 1000;
    for (const target of missing) known.set(keyOf(target), { ...target, name, untilMs });
  }

  /** What is to be opened again after the rules have changed, and all was closed: of names that are still listed. */
  reopened(guest: GuestNames, rules: readonly NetworkRule[]): Pin[] {
    const nowMs = performance.now();
    const open = [...(this.#known.get(guest.chain)?.values() ?? [])].filter(
      ({ untilMs, name, port }) =>
        untilMs > nowMs + 1000 && rules.some((rule) => isForName(rule, name) && rule.port === port),
    );
    // Another map: what is being opened for the old rules is not written down.
    this.#known.set(guest.chain, new Map(open.map((each) => [keyOf(each), each])));
    return open.map(({ address, port, untilMs }) => {
      return { guest, address, port, seconds: Math.floor((untilMs - nowMs) / 1000) };
    });
  }

  /** It is gone. */
  forget(guest: GuestNames): void {
    this.#known.delete(guest.chain);
  }

  #of({ chain }: GuestNames): Map<string, OpenPin> {
    const known = this.#known.get(chain) ?? new Map<string, OpenPin>();
    if (known.size > mostRemembered) {
      const nowMs = performance.now();
      for (const [key, { untilMs }] of known) if (untilMs < nowMs) known.delete(key);
      if (known.size > mostRemembered) known.clear();
    }
    this.#known.set(chain, known);
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
