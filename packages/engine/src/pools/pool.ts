import type { Isolation, PoolObject, TemplateName } from '@sandport/protocol';
import { Backoff } from '../sandboxes/backoff.ts';
import type { Entry } from '../sandboxes/entry.ts';
import type { Deviation } from './member-row.ts';

/** @param deviation in what the members are unlike the template */
export function poolKey(
  template: string,
  isolation: Isolation,
  { diskBytes, networked }: Deviation = {},
): string {
  const disk = diskBytes === undefined ? [] : [`disk=${diskBytes}`];
  const network = networked === undefined ? [] : [`network=${networked}`];
  return [template, isolation, ...disk, ...network].join(':');
}

/** Sandboxes of one template and isolation that wait for a request. */
export class Pool {
  readonly template: TemplateName;
  readonly isolation: Isolation;
  /** In what they are unlike the template. */
  readonly deviation: Deviation;
  /** How many are to be kept whoever else wants some. */
  configured: number;
  /** How many others want, by who they are. */
  readonly reservations = new Map<string, number>();
  /** Oldest first. */
  readonly ready = new Set<Entry>();
  /** Under way, those too that have no row yet. */
  starting = 0;
  /** Those under way that have one. */
  readonly made = new Set<Entry>();
  readonly backoff = new Backoff();
  taken = 0;
  missed = 0;
  /** Why the last one could not be made, or died. */
  error: string | undefined;

  constructor(
    template: TemplateName,
    isolation: Isolation,
    size: number,
    deviation: Deviation = {},
  ) {
    this.template = template;
    this.isolation = isolation;
    this.configured = size;
    this.deviation = deviation;
  }

  get key(): string {
    return poolKey(this.template, this.isolation, this.deviation);
  }

  /** How many are to be kept. */
  get size(): number {
    let size = this.configured;
    for (const reserved of this.reservations.values()) size += reserved;
    return size;
  }

  /** How many are missing. */
  get missing(): number {
    return this.size - this.ready.size - this.starting;
  }

  /** As clients see it. */
  toObject(): PoolObject {
    return {
      template: this.template,
      isolation: this.isolation,
      size: this.size,
      ready: this.ready.size,
      starting: this.starting,
      taken: this.taken,
      missed: this.missed,
      ...(this.error === undefined ? {} : { error: this.error }),
    };
  }
}
