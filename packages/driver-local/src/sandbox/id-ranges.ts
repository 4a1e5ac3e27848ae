/** Host ids that one sandbox owns. */
export const idRangeSize = 65_536;

/** Above the ids of people and system services; a multiple of the range size. */
const firstBase = 16 * idRangeSize;
const rangeCount = 65_000;
/** Drivers of different data directories begin far apart, so that their ranges rarely meet. */
const rangesPerDriver = 128;

const refillDelayMs = 250;
/** Ranges that came back and are kept with their namespaces. */
const mostReady = 32;

interface Range {
  readonly base: number;
  /** Descriptor of a user namespace that maps the range. */
  readonly namespaceFd: number;
}

export interface IdRangesOptions {
  /** Spreads drivers over the ids: any integer. */
  readonly seed: number;
  readonly createNamespace: (range: { base: number; count: number }) => Promise<number>;
  readonly closeNamespace: (fd: number) => void;
  /** Ranges that are made ready ahead of need. @default 4 */
  readonly spare?: number;
}

/**
 * Gives every `container` sandbox a range of host ids that no other sandbox of this driver has,
 * with a user namespace that maps it. A few are kept ready, because making one takes a process.
 */
export class IdRanges {
  readonly #options: IdRangesOptions;
  readonly #start: number;
  readonly #used = new Set<number>();
  readonly #ready: Range[] = [];
  /** Namespaces of ranges that are taken; a range that comes back needs no new one. */
  readonly #namespaces = new Map<number, number>();
  #filling: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: IdRangesOptions) {
    this.#options = options;
    this.#start = (Math.abs(Math.trunc(options.seed)) % 500) * rangesPerDriver;
  }

  /** Takes a range. Its descriptor belongs to the ranges and stays open. */
  async take(): Promise<Range> {
    const range = this.#ready.shift() ?? (await this.#create());
    this.#namespaces.set(range.base, range.namespaceFd);
    // Not at once: who takes a range has better use for the processor.
    this.#timer ??= setTimeout(() => this.prepare(), refillDelayMs).unref();
    return range;
  }

  /** Notes the range of a sandbox from before; its namespace is made when it is asked for. */
  reserve(base: number): void {
    this.#used.add(base);
  }

  /** Namespace of a range that is in use. The descriptor belongs to the ranges and stays open. */
  async namespaceOf(base: number): Promise<number> {
    const known = this.#namespaces.get(base);
    if (known !== undefined) return known;
    const namespaceFd = await this.#createNamespace(base);
    const other = this.#namespaces.get(base);
    if (other === undefined && !this.#closed && this.#used.has(base)) {
      this.#namespaces.set(base, namespaceFd);
      return namespaceFd;
    }
    this.#options.closeNamespace(namespaceFd);
    if (other !== undefined) return other;
    throw new Error('the range of user ids was given back');
  }

  /** Gives a range back, when no process and no file of the sandbox is left. Idempotent. */
  release(base: number): void {
    const namespaceFd = this.#namespaces.get(base);
    this.#namespaces.delete(base);
    if (namespaceFd === undefined) {
      if (!this.#ready.some((range) => range.base === base)) this.#used.delete(base);
    } else if (!this.#closed && this.#ready.length < mostReady) {
      this.#ready.push({ base, namespaceFd });
    } else {
      this.#options.closeNamespace(namespaceFd);
      this.#used.delete(base);
    }
  }

  /** Begins to make spare ranges; errors come again when a range is taken. */
  prepare(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#filling || this.#closed) return;
    this.#filling = this.#fill()
      .catch(() => {})
      .finally(() => (this.#filling = undefined));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#filling;
    for (const namespaceFd of this.#namespaces.values()) this.#options.closeNamespace(namespaceFd);
    this.#namespaces.clear();
    for (const range of this.#ready.splice(0)) this.#options.closeNamespace(range.namespaceFd);
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#ready.length < (this.#options.spare ?? 4))
      this.#ready.push(await this.#create());
  }

  async #create(): Promise<Range> {
    const base = this.#freeBase();
    this.#used.add(base);
    try {
      const namespaceFd = await this.#createNamespace(base);
      return { base, namespaceFd };
    } catch (error) {
      this.#used.delete(base);
      throw error;
    }
  }

  #createNamespace(base: number): Promise<number> {
    return this.#options.createNamespace({ base, count: idRangeSize });
  }

  #freeBase(): number {
    for (let step = 0; step < rangeCount; step++) {
      const base = firstBase + ((this.#start + step) % rangeCount) * idRangeSize;
      if (!this.#used.has(base)) return base;
    }
    throw new Error('no range of user ids is free');
  }
}
