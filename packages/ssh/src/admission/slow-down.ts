import { isIPv6 } from 'node:net';

export interface SlowDownOptions {
  /** Delay after the first wrong attempt; each further one doubles it. @default 50 */
  readonly firstDelayMs?: number;
  /** @default 2000 */
  readonly maxDelayMs?: number;
  /** So long after its last one, wrong attempts of an address are forgotten. @default 600,000 */
  readonly forgetAfterMs?: number;
  /** Addresses that are remembered; beyond them the oldest is forgotten. @default 10,000 */
  readonly maxAddresses?: number;
  /** @default performance.now */
  readonly now?: () => number;
}

interface Failures {
  count: number;
  lastMs: number;
}

/** Remembers wrong attempts to log in, to answer the next ones of the same address later. */
export class SlowDown {
  readonly #firstDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #forgetAfterMs: number;
  readonly #maxAddresses: number;
  readonly #now: () => number;
  /** In the order of their last attempt. */
  readonly #failures = new Map<string, Failures>();

  constructor(options: SlowDownOptions = {}) {
    this.#firstDelayMs = options.firstDelayMs ?? 50;
    this.#maxDelayMs = options.maxDelayMs ?? 2_000;
    this.#forgetAfterMs = options.forgetAfterMs ?? 600_000;
    this.#maxAddresses = options.maxAddresses ?? 10_000;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Notes a wrong attempt. @returns after how many milliseconds it is to be answered, and the count */
  fail(address: string): { delayMs: number; count: number } {
    const source = sourceOf(address);
    const now = this.#now();
    const last = this.#failures.get(source);
    const isRecent = last !== undefined && now - last.lastMs < this.#forgetAfterMs;
    const count = isRecent ? last.count + 1 : 1;
    this.#failures.delete(source);
    this.#failures.set(source, { count, lastMs: now });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > this.#maxAddresses && oldest !== undefined)
      this.#failures.delete(oldest);
    const delayMs = Math.min(this.#maxDelayMs, this.#firstDelayMs * 2 ** Math.min(count - 1, 30));
    return { delayMs, count };
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#failures.size;
  }
}

/** The network that one client has to itself: an address of IPv4, the first half of one of IPv6. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
