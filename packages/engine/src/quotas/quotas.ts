import type { SandboxLimits } from '@sandport/driver';
import { type Namespace, type QuotaObject, SandportFault, type SetQuota } from '@sandport/protocol';
import type { QuotaRow, QuotaTable, SandboxRow, VolumeTable } from '@sandport/state';
import { mayUse, type Principal, requireAdministrator, requireMayUse } from '../principal.ts';
import { type Entry, specOf } from '../sandboxes/entry.ts';
import {
  most,
  nothing,
  promiseNow,
  promiseOf,
  type Promised,
  sum,
  takesMemory,
} from './promised.ts';
import { refuseBeyond } from './refuse-beyond.ts';

export interface QuotasOptions {
  readonly table: QuotaTable;
  readonly volumes: Pick<VolumeTable, 'all'>;
  /** All sandboxes. */
  readonly entries: () => readonly Entry[];
  /** How many sandboxes are kept ready for a namespace alone. */
  readonly reserved: (namespace: Namespace) => number;
}

/**
 * Shares of namespaces. What is counted is what was promised, not what is used: so a sandbox that
 * was made can use all that it was made with. Each check takes effect at once, before anything else
 * can be asked. Sandboxes that are kept ready for a namespace count as its own.
 */
export class Quotas {
  readonly #options: QuotasOptions;
  readonly #quotas = new Map<Namespace, QuotaRow>();
  /** What sandboxes are about to get. */
  readonly #holds = new Map<Entry, Promised>();

  constructor(options: QuotasOptions) {
    this.#options = options;
    for (const row of options.table.all()) this.#quotas.set(row.namespace, row);
  }

  /** Of the namespaces that the key may use: those with a quota, a sandbox or a volume. */
  list(principal: Principal): QuotaObject[] {
    const limited = [...this.#quotas.values()].filter(hasLimit).map(({ namespace }) => namespace);
    const inUse = this.#options
      .entries()
      .filter(({ row }) => !row.pooled)
      .map(({ row }) => row.namespace);
    const stored = this.#options.volumes.all().map(({ namespace }) => namespace);
    return [...new Set([...limited, ...inUse, ...stored])]
      .filter((namespace) => mayUse(principal, namespace))
      .sort()
      .map((namespace) => this.#toObject(namespace));
  }

  /** @throws SandportFault `forbidden` */
  get(principal: Principal, namespace: Namespace): QuotaObject {
    requireMayUse(principal, namespace);
    return this.#toObject(namespace);
  }

  /** What is there already stays, also above the quota. @throws SandportFault `forbidden` */
  set(principal: Principal, namespace: Namespace, request: SetQuota): QuotaObject {
    requireAdministrator(principal);
    const row: QuotaRow = {
      namespace,
      maxSandboxes: request.max_sandboxes,
      maxMemoryMb: request.max_memory_mb,
      maxDiskMb: request.max_disk_mb,
    };
    this.#options.table.set(row);
    this.#quotas.set(namespace, row);
    return this.#toObject(namespace);
  }

  /**
   * To be called right before a sandbox comes to its namespace.
   * @throws SandportFault `limit_reached`; `invalid_request` when it needs a limit on its disk
   */
  admit({ namespace, spec }: Pick<SandboxRow, 'namespace' | 'spec'>): void {
    const quota = this.#quotas.get(namespace);
    if (quota === undefined) return;
    const { limits } = specOf({ spec });
    if (limits.diskBytes === undefined)
      refuseUnlimited(quota, 'sandbox', 'resources.disk_mb', 'disk_mb');
    refuseBeyond(quota, this.#promised(namespace), promiseOf(limits, true));
  }

  /** How many more sandboxes the namespace may have, or have kept ready. */
  room(namespace: Namespace): number {
    const limit = this.#quotas.get(namespace)?.maxSandboxes;
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(0, limit - this.#promised(namespace).sandboxes);
  }

  /** The same for a volume. @param sizeBytes undefined: without a limit */
  admitVolume(namespace: Namespace, sizeBytes: number | undefined): void {
    const quota = this.#quotas.get(namespace);
    if (quota === undefined) return;
    if (sizeBytes === undefined) refuseUnlimited(quota, 'volume', 'size_mb', 'size_mb');
    refuseBeyond(quota, this.#promised(namespace), { ...nothing, diskBytes: sizeBytes ?? 0 });
  }

  /**
   * Counts a sandbox as one with these limits while something is done that makes it one; then the
   * result is disposed of. One at a time for each sandbox.
   * @param options.processes it gets some @default whether it has some
   * @throws SandportFault `limit_reached`
   */
  hold(
    entry: Entry,
    limits: SandboxLimits,
    options: { readonly processes?: boolean } = {},
  ): Disposable {
    const before = promiseNow(entry);
    const held = most(before, promiseOf(limits, options.processes ?? takesMemory(entry)));
    const quota = this.#quotas.get(entry.row.namespace);
    if (quota !== undefined)
      refuseBeyond(quota, this.#promised(entry.row.namespace), {
        sandboxes: 0,
        memoryBytes: held.memoryBytes - before.memoryBytes,
        diskBytes: held.diskBytes - before.diskBytes,
      });
    this.#holds.set(entry, held);
    return { [Symbol.dispose]: () => void this.#holds.delete(entry) };
  }

  #promised(namespace: Namespace): Promised {
    let promised = { ...nothing, sandboxes: this.#options.reserved(namespace) };
    for (const entry of this.#options.entries()) {
      const { row } = entry;
      if (row.namespace !== namespace || row.pooled) continue;
      promised = sum(promised, most(promiseNow(entry), this.#holds.get(entry) ?? nothing));
    }
    for (const { namespace: its, sizeBytes = 0 } of this.#options.volumes.all())
      if (its === namespace) promised = sum(promised, { ...nothing, diskBytes: sizeBytes });
    return promised;
  }

  #toObject(namespace: Namespace): QuotaObject {
    const quota = this.#quotas.get(namespace);
    const { sandboxes, memoryBytes, diskBytes } = this.#promised(namespace);
    return {
      namespace,
      ...(quota?.maxSandboxes === undefined ? {} : { max_sandboxes: quota.maxSandboxes }),
      ...(quota?.maxMemoryMb === undefined ? {} : { max_memory_mb: quota.maxMemoryMb }),
      ...(quota?.maxDiskMb === undefined ? {} : { max_disk_mb: quota.maxDiskMb }),
      sandboxes,
      memory_mb: Math.round(memoryBytes / 2 ** 20),
      disk_mb: Math.round(diskBytes / 2 ** 20),
    };
  }
}

const hasLimit = ({ maxSandboxes, maxMemoryMb, maxDiskMb }: QuotaRow): boolean =>
  [maxSandboxes, maxMemoryMb, maxDiskMb].some((limit) => limit !== undefined);

/** Where disks are shared out each needs a size. */
function refuseUnlimited(quota: QuotaRow, what: string, field: string, name: string): void {
  if (quota.maxDiskMb === undefined) return;
  throw new SandportFault(
    'invalid_request',
    `The namespace "${quota.namespace}" has a quota on disk: give the ${what} a limit with "${name}".`,
    { field, namespace: quota.namespace },
  );
}
