import type { Driver, SandboxLimits, SandboxSpec } from '@sandport/driver';
import {
  type ChangeLifecycle,
  type ChangeSandbox,
  type Lifecycle,
  type Resources,
  SandportFault,
} from '@sandport/protocol';
import type { SandboxRow } from '@sandport/state';
import type { Events } from '../events.ts';
import type { Quotas } from '../quotas/quotas.ts';
import { type Entry, hasProcesses, specOf } from './entry.ts';
import { withNetwork, withNetworkState } from './network.ts';
import type { Registry } from './registry.ts';
import { invalidState } from './to-object.ts';

export interface ChangesOptions {
  readonly driver: Driver;
  readonly registry: Registry;
  readonly events: Events;
  readonly quotas: Pick<Quotas, 'hold'>;
  /** Called after each change that may move a deadline. */
  readonly reschedule: () => void;
}

/** What can be changed of a sandbox that is there: limits, labels, environment, how long it stays. */
export class Changes {
  readonly #options: ChangesOptions;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  /**
   * All of it or, after an error, nothing.
   * @throws SandportFault `invalid_state`, `limit_reached`, `invalid_request`
   */
  change(entry: Entry, { resources, metadata, env, network }: ChangeSandbox): Promise<void> {
    return entry.turns.take(async () => {
      const { row } = entry;
      if (row.status === 'creating' || row.status === 'deleted')
        throw invalidState(row, 'it cannot be changed');
      const old = specOf(row);
      const { network: oldNetwork, ...others } = old;
      const spec: SandboxSpec = {
        ...others,
        ...withNetwork(network ?? oldNetwork),
        ...(resources === undefined ? {} : { limits: changedLimits(old.limits, resources) }),
        ...(env === undefined ? {} : { env }),
      };
      using room = this.#options.quotas.hold(entry, spec.limits);
      void room;
      if (resources !== undefined || env !== undefined || network !== undefined)
        await this.#options.driver.reconfigure(spec);
      this.#options.registry.change(entry, {
        spec: hasProcesses(entry.sandbox) ? withNetworkState(spec, entry.sandbox) : spec,
        ...(metadata === undefined ? {} : { metadata }),
      });
      this.#tell(entry, { resources, metadata, env, network });
    });
  }

  /** @throws SandportFault `sandbox_not_found` for one that is being deleted */
  changeLifecycle(entry: Entry, change: ChangeLifecycle): void {
    const { row } = entry;
    if (row.status === 'deleted')
      throw new SandportFault('sandbox_not_found', `The sandbox ${row.id} is being deleted.`, {
        sandbox: row.id,
      });
    const ttlSeconds = change.ttl_seconds ?? row.ttlSeconds;
    const persistent = change.persistent ?? row.persistent;
    const isClockAnew = change.ttl_seconds !== undefined || persistent !== row.persistent;
    this.#options.registry.change(entry, {
      ttlSeconds,
      persistent,
      idleTimeoutSeconds: change.idle_timeout_seconds ?? row.idleTimeoutSeconds,
      idleAction: change.idle_action ?? row.idleAction,
      ...(isClockAnew ? { expiresAt: expiryOf({ ttlSeconds, persistent }, new Date()) } : {}),
    });
    this.#options.reschedule();
    this.#tell(entry, change);
  }

  /** The names of what has changed: values may be secrets. */
  #tell(entry: Entry, change: object): void {
    const fields = Object.entries(change)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name);
    if (fields.length > 0) this.#options.events.emit(entry.row, 'changed', { fields });
  }
}

/** When a sandbox ends whose time to live begins at `from`; undefined: never. */
export const expiryOf = (
  { ttlSeconds, persistent }: Pick<SandboxRow, 'ttlSeconds' | 'persistent'>,
  from: Date,
): Date | undefined =>
  ttlSeconds === 0 || persistent ? undefined : new Date(from.getTime() + ttlSeconds * 1000);

/** What is left out stays. */
function changedLimits(limits: SandboxLimits, resources: Resources): SandboxLimits {
  const { cpu, memory_mb: memoryMb, disk_mb: diskMb, pids } = resources;
  return {
    cpu: cpu ?? limits.cpu,
    memoryBytes: memoryMb === undefined ? limits.memoryBytes : memoryMb * 2 ** 20,
    diskBytes: diskMb === undefined ? limits.diskBytes : diskMb * 2 ** 20,
    pids: pids ?? limits.pids,
  };
}

/** How long a sandbox stays, as clients see it. */
export const lifecycleObject = ({ row, activity }: Entry): Lifecycle => ({
  ttl_seconds: row.ttlSeconds,
  persistent: row.persistent,
  idle_timeout_seconds: row.idleTimeoutSeconds,
  idle_action: row.idleAction,
  idle_seconds: Math.round(activity.idleMs) / 1000,
  ...(row.expiresAt === undefined ? {} : { expires_at: row.expiresAt.toISOString() }),
});
