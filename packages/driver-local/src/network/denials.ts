import type { NetworkDenial } from '@sandport/driver';
import { type LoggedPacket, PacketLog } from '@sandport/linux';
import { formatIpv4, type SandboxId } from '@sandport/protocol';

/** How often the kernel's log is looked at. */
const pollMs = 200;
/** Most denials of one sandbox that are told in a second. */
const mostASecond = 10;
/** The same again is told after this only. */
const againMs = 10_000;
/** Denials of one sandbox that are remembered for that. */
const mostRemembered = 200;

const protocols: Readonly<Record<number, NetworkDenial['protocol']>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
};

type Denial = Omit<NetworkDenial, 'sandbox' | 'leftOut'>;

interface Count {
  /** On the clock of `performance.now`. */
  sinceMs: number;
  told: number;
  leftOut: number;
  /** What was told → when. */
  readonly lately: Map<string, number>;
}

export interface DenialsOptions {
  /** The sandbox with an address. */
  readonly sandboxAt: (address: string) => SandboxId | undefined;
  /** The name that a destination was the answer for, of the sandbox with an address. */
  readonly nameOf: (address: string, destination: string) => string | undefined;
}

/** Tells what the networks of sandboxes have refused, to one listener and not too often. */
export class Denials implements Disposable {
  readonly #options: DenialsOptions;
  readonly #counts = new Map<SandboxId, Count>();
  #listener: (denial: NetworkDenial) => void = () => undefined;
  #log: PacketLog | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DenialsOptions) {
    this.#options = options;
  }

  listen(listener: (denial: NetworkDenial) => void): void {
    this.#listener = listener;
  }

  /** Begins to read the log of a group that nobody else reads. @returns the group @throws Error */
  open(firstGroup: number): number {
    let reason: unknown;
    for (let group = firstGroup; group < firstGroup + 8; group++) {
      try {
        this.#log = new PacketLog(group);
        this.#timer = setInterval(() => this.#poll(), pollMs).unref();
        return group;
      } catch (error) {
        reason = error;
      }
    }
    throw reason;
  }

  tell(sandbox: SandboxId, denial: Denial): void {
    const nowMs = performance.now();
    const count = this.#counts.get(sandbox) ?? newCount(nowMs);
    this.#counts.set(sandbox, count);
    if (nowMs - count.sinceMs > 1000) {
      count.sinceMs = nowMs;
      count.told = 0;
    }
    const key = Object.values(denial).join(' ');
    const isAgain = nowMs - (count.lately.get(key) ?? Number.NEGATIVE_INFINITY) < againMs;
    if (isAgain || count.told >= mostASecond) {
      count.leftOut++;
      return;
    }
    if (count.lately.size >= mostRemembered) count.lately.clear();
    count.lately.set(key, nowMs);
    count.told++;
    const { leftOut } = count;
    count.leftOut = 0;
    this.#listener({ sandbox, ...denial, leftOut });
  }

  forget(sandbox: SandboxId): void {
    this.#counts.delete(sandbox);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#log?.[Symbol.dispose]();
    this.#log = undefined;
  }

  #poll(): void {
    for (const packet of this.#log?.read() ?? []) {
      const source = formatIpv4(packet.source);
      const sandbox = this.#options.sandboxAt(source);
      if (sandbox === undefined) continue;
      const denial = denialOf(packet);
      const name = this.#options.nameOf(source, denial.destination);
      this.tell(sandbox, name === undefined ? denial : { ...denial, name });
    }
  }
}

const newCount = (sinceMs: number): Count => ({
  sinceMs,
  told: 0,
  leftOut: 0,
  lately: new Map(),
});

const denialOf = ({ destination, destinationPort, protocol }: LoggedPacket) => ({
  destination: formatIpv4(destination),
  ...(destinationPort === undefined ? {} : { port: destinationPort }),
  protocol: protocols[protocol] ?? 'other',
});
