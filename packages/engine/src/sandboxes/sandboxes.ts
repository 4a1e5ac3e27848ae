import type { Driver, SandboxFiles } from '@sandport/driver';
import type {
  ChangeLifecycle,
  ChangeSandbox,
  CreateSandbox,
  Lifecycle,
  Network,
  SandboxId,
  SandboxObject,
  WokenSandboxObject,
} from '@sandport/protocol';
import type { SandboxTable, SnapshotTable } from '@sandport/state';
import type { Events } from '../events.ts';
import type { NamespaceNetworks } from '../networks/namespace-networks.ts';
import type { Principal } from '../principal.ts';
import type { Pools } from '../pools/pools.ts';
import type { Quotas } from '../quotas/quotas.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import type { Templates } from '../templates.ts';
import type { Volumes } from '../volumes.ts';
import { Changes, lifecycleObject } from './changes.ts';
import { Creation } from './creation.ts';
import { Deadlines } from './deadlines.ts';
import { type Entry, specOf } from './entry.ts';
import { requireMayOpen } from './network.ts';
import { matches, newestFirst, page, type SandboxFilter } from './page.ts';
import { recover, type RecoveryReport } from './recovery.ts';
import { Registry } from './registry.ts';
import { States } from './states.ts';
import { toObject } from './to-object.ts';

export interface SandboxesOptions {
  readonly driver: Driver;
  readonly table: SandboxTable;
  readonly snapshotTable: SnapshotTable;
  readonly templates: Templates;
  /** Called at each use: volumes and sandboxes know each other. */
  readonly volumes: () => Volumes;
  /** The same. */
  readonly snapshots: () => Snapshots;
  readonly events: Events;
  readonly quotas: Quotas;
  readonly networks: Pick<NamespaceNetworks, 'admit' | 'defaultOf'>;
  /** The same as `volumes`. */
  readonly pools: () => Pools;
  /** Most sandboxes at one time. */
  readonly maxSandboxes: number;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
  /** Clears what a sandbox keeps outside of itself, on volumes, before it goes. */
  readonly leaving: (id: SandboxId, files: SandboxFiles) => Promise<void>;
  /** Called when a sandbox got processes, or lost them. */
  readonly onProcesses: (entry: Entry) => void;
}

/** How often it is written down when sandboxes were used last, in milliseconds. */
const saveActivityEveryMs = 30_000;

/** The sandboxes of this daemon: made, found, listed, changed, ended. */
export class Sandboxes implements Disposable {
  readonly registry: Registry;
  readonly states: States;
  readonly #options: SandboxesOptions;
  readonly #creation: Creation;
  readonly #changes: Changes;
  readonly #deadlines: Deadlines;
  #saving: NodeJS.Timeout | undefined;

  constructor(options: SandboxesOptions) {
    const { driver, events, log, templates, volumes, snapshots, quotas, pools, networks } = options;
    this.#options = options;
    const registry = new Registry({
      table: options.table,
      maxSandboxes: options.maxSandboxes,
      admit: (row) => {
        quotas.admit(row);
        networks.admit(row.namespace, specOf(row).network);
      },
      onCrowded: () => pools().giveUpOne(),
    });
    const reschedule = () => this.#deadlines.reschedule();
    const states = new States({
      driver,
      registry,
      events,
      quotas,
      log,
      reschedule,
      onProcesses: options.onProcesses,
    });
    this.registry = registry;
    this.states = states;
    this.#creation = new Creation({
      driver,
      registry,
      states,
      templates,
      volumes,
      snapshots,
      pools,
      networks,
      events,
      log,
    });
    this.#changes = new Changes({ driver, registry, events, quotas, reschedule });
    this.#deadlines = new Deadlines({
      entries: () => registry.all(),
      end: (entry) => this.end(entry),
      hibernateIdle: (entry) => states.hibernateIdle(entry),
      events,
      log,
    });
  }

  /** Takes over what an earlier daemon left. Rows that were half made or half removed are ended. */
  async recover(): Promise<RecoveryReport> {
    const { registry, states } = this;
    const { driver, table, snapshotTable, events } = this.#options;
    const report = await recover({
      driver,
      table,
      snapshots: snapshotTable,
      registry,
      states,
      events,
    });
    this.#deadlines.reschedule();
    this.#saving = setInterval(() => this.#saveActivity(), saveActivityEveryMs).unref();
    return report;
  }

  async create(
    principal: Principal,
    request: CreateSandbox,
    options: { signal?: AbortSignal } = {},
  ): Promise<SandboxObject> {
    return toObject((await this.#creation.create(principal, request, options)).row);
  }

  get(principal: Principal, idOrName: string): SandboxObject {
    return toObject(this.find(principal, idOrName).row);
  }

  list(
    principal: Principal,
    filter: SandboxFilter,
  ): { sandboxes: SandboxObject[]; nextCursor?: string } {
    const visible = this.registry
      .visible(principal)
      .map((entry) => entry.row)
      .filter((row) => matches(row, filter))
      .sort(newestFirst);
    const { rows, nextCursor } = page(visible, filter);
    return { sandboxes: rows.map(toObject), ...(nextCursor === undefined ? {} : { nextCursor }) };
  }

  /** Ends the sandbox and removes all of it but its volumes. */
  async remove(principal: Principal, idOrName: string): Promise<void> {
    await this.end(this.find(principal, idOrName));
  }

  /** @throws SandportFault `sandbox_not_found`, also for a sandbox of another's namespace. */
  find(principal: Principal, idOrName: string): Entry {
    return this.registry.find(principal, idOrName);
  }

  /** Ends what is being done to the sandbox, then the sandbox. After a failure one can ask again. */
  async end(entry: Entry): Promise<void> {
    if (entry.row.status !== 'creating' && entry.row.status !== 'deleted')
      this.registry.change(entry, { status: 'deleted' });
    entry.abort.abort();
    await entry.turns.take(async () => {
      // The create that was under way, or another removal, has taken it away.
      if (this.registry.byId(entry.row.id) !== entry) return;
      await this.#takeAway(entry);
    });
  }

  /** @throws SandportFault `invalid_state`, `invalid_request`, `limit_reached` */
  async change(
    principal: Principal,
    idOrName: string,
    change: ChangeSandbox,
  ): Promise<SandboxObject> {
    const entry = this.find(principal, idOrName);
    requireMayOpen(principal, change.network);
    this.#options.networks.admit(entry.row.namespace, change.network);
    await this.#changes.change(entry, change);
    return toObject(entry.row);
  }

  /** The same for a network, on the daemon's own behalf. */
  changeNetwork(entry: Entry, network: Network): Promise<void> {
    return this.#changes.change(entry, { network });
  }

  lifecycle(principal: Principal, idOrName: string): Lifecycle {
    return lifecycleObject(this.find(principal, idOrName));
  }

  changeLifecycle(principal: Principal, idOrName: string, change: ChangeLifecycle): Lifecycle {
    const entry = this.find(principal, idOrName);
    this.#changes.changeLifecycle(entry, change);
    return lifecycleObject(entry);
  }

  /** @throws SandportFault `invalid_state`, `hibernate_failed`, `disk_full` */
  async enter(
    principal: Principal,
    idOrName: string,
    change: 'pause' | 'resume' | 'hibernate',
  ): Promise<SandboxObject> {
    const entry = this.find(principal, idOrName);
    await this.states[change](entry);
    return toObject(entry.row);
  }

  /** @throws SandportFault `invalid_state`, `create_failed`, `disk_full` */
  async wake(principal: Principal, idOrName: string): Promise<WokenSandboxObject> {
    const entry = this.find(principal, idOrName);
    const waking = await this.states.wake(entry, 'asked');
    return { ...toObject(entry.row), ...waking };
  }

  /** Stops the clocks. Sandboxes keep running. */
  [Symbol.dispose](): void {
    this.#deadlines[Symbol.dispose]();
    clearInterval(this.#saving);
    this.#saveActivity();
  }

  async #takeAway({ row, sandbox }: Entry): Promise<void> {
    const { driver, leaving, log, events } = this.#options;
    const { id } = row;
    if (sandbox !== undefined)
      await leaving(id, sandbox.files).catch((error: unknown) => {
        log('sandbox leaves something behind', { sandbox: id, error: String(error) });
      });
    await driver.remove(id);
    // The row goes last: a daemon that ends between the two tells of it once more.
    if (!row.pooled) events.emit(row, 'deleted');
    this.registry.forget(id);
  }

  #saveActivity(): void {
    for (const entry of this.registry.all()) {
      const { row, activity } = entry;
      const activeAt = activity.last;
      if (activeAt.getTime() - row.activeAt.getTime() >= 1_000)
        this.registry.change(entry, { activeAt });
    }
  }
}
