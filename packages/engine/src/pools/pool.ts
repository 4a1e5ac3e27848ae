import type { Isolation, PoolObject, TemplateName } from '@sandport/protocol';
import { Backoff } from '../sandboxes/backoff.ts';
import type { Entry } from '../sandboxes/entry.ts';

export const poolKey = (template: string, isolation: Isolation): string =>
  `${template}:${isolation}`;

/** Sandboxes of one template and isolation that wait for a request. */
export class Pool {
  readonly template: TemplateName;
  readonly isolation: Isolation;
  /** How many are to be kept. */
  size: number;
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

  constructor(template: TemplateName, isolation: Isolation, size: number) {
    this.template = template;
    this.isolation = isolation;
    this.size = size;
  }

  get key(): string {
    return poolKey(this.template, this.isolation);
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
