import { randomUUID } from 'node:crypto';
import type { Driver } from '@sandport/driver';
import {
  type CreateSnapshot,
  type Namespace,
  SandportFault,
  type SnapshotId,
  type SnapshotObject,
  type WokenSandboxObject,
} from '@sandport/protocol';
import { NameTakenError, type SnapshotRow, type SnapshotTable } from '@sandport/state';
import type { Events } from '../events.ts';
import { mayUse, type Principal } from '../principal.ts';
import type { Quotas } from '../quotas/quotas.ts';
import { copiesMemory } from '../sandboxes/copied-memory.ts';
import { type Entry, specOf } from '../sandboxes/entry.ts';
import type { Registry } from '../sandboxes/registry.ts';
import type { States } from '../sandboxes/states.ts';
import { invalidState, toObject } from '../sandboxes/to-object.ts';
import type { Uploads } from '../uploads/uploads.ts';
import { restore } from './restore.ts';
import { snapshotObject } from './snapshot-object.ts';
import { SnapshotUses } from './snapshot-uses.ts';
import { type SnapshotSpec, UsedSnapshot } from './used-snapshot.ts';

/** Most snapshots at one time. */
const maxSnapshots = 1_000;

export interface SnapshotsOptions {
  readonly driver: Driver;
  readonly table: SnapshotTable;
  readonly registry: Registry;
  readonly events: Events;
  readonly states: States;
  readonly quotas: Pick<Quotas, 'hold'>;
  readonly uploads: Pick<Uploads, 'stagedOf' | 'discardAll'>;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

export interface SnapshotFilter {
  readonly namespace?: Namespace | undefined;
  /** Id of a sandbox, which may be gone. */
  readonly sandbox?: string | undefined;
}

/** Frozen states of sandboxes, which outlive them. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #uses = new SnapshotUses();

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /**
   * Freezes a sandbox that has a disk, in whatever state; it goes on as before.
   * @throws SandportFault `invalid_state`, `memory_unavailable`, `name_taken`, `limit_reached`,
   * `snapshot_failed`, `disk_full`
   */
  async create(
    principal: Principal,
    idOrName: string,
    request: CreateSnapshot,
    options: { signal?: AbortSignal } = {},
  ): Promise<SnapshotObject> {
    const entry = this.#options.registry.find(principal, idOrName);
    const signals = [entry.abort.signal, ...(options.signal === undefined ? [] : [options.signal])];
    return entry.turns.take(() => this.#create(entry, request, AbortSignal.any(signals)));
  }

  /** Newest first. */
  list(principal: Principal, { namespace, sandbox }: SnapshotFilter = {}): SnapshotObject[] {
    return this.#visible(principal)
      .filter((row) => namespace === undefined || row.namespace === namespace)
      .filter((row) => sandbox === undefined || row.sandbox === sandbox)
      .map(snapshotObject);
  }

  /** Those of a sandbox that is there, newest first. @throws SandportFault `sandbox_not_found` */
  ofSandbox(principal: Principal, idOrName: string): SnapshotObject[] {
    const { row } = this.#options.registry.find(principal, idOrName);
    return this.list(principal, { sandbox: row.id });
  }

  /** @throws SandportFault `snapshot_not_found` */
  get(principal: Principal, idOrName: string): SnapshotObject {
    return snapshotObject(this.#find(principal, idOrName));
  }

  /** Keeps it from being removed until the result is disposed of. @throws SandportFault `snapshot_not_found` */
  use(principal: Principal, idOrName: string): UsedSnapshot {
    const row = this.#find(principal, idOrName);
    return new UsedSnapshot(row, this.#options.driver, this.#uses.begin(row.id));
  }

  /** Waits for sandboxes that are being made from it. @throws SandportFault `snapshot_not_found` */
  async remove(principal: Principal, idOrName: string): Promise<void> {
    const row = this.#find(principal, idOrName);
    const { table, driver } = this.#options;
    // From here on nobody finds it; after a crash the next start removes it.
    table.update({ ...row, status: 'deleted' });
    await this.#uses.ended(row.id);
    await driver.snapshots.remove(row.id);
    table.delete(row.id);
  }

  /**
   * Puts a snapshot in the place of what the sandbox is. Id, name, limits, volumes and environment
   * stay; what was written since is lost, unfinished uploads too.
   * @throws SandportFault `snapshot_not_found`, `invalid_state`, `create_failed`, `disk_full`,
   * `invalid_request` for a snapshot whose processes cannot be in this sandbox
   */
  async restore(
    principal: Principal,
    idOrName: string,
    snapshotIdOrName: string,
  ): Promise<WokenSandboxObject> {
    const entry = this.#options.registry.find(principal, idOrName);
    return entry.turns.take(async () => {
      using snapshot = this.use(principal, snapshotIdOrName);
      const { memory } = await restore(this.#options, entry, snapshot);
      return { ...toObject(entry.row), woken: true, memory };
    });
  }

  async #create(
    entry: Entry,
    request: CreateSnapshot,
    signal: AbortSignal,
  ): Promise<SnapshotObject> {
    const { driver, table, events, uploads } = this.#options;
    const { row } = entry;
    if (entry.sandbox === undefined || row.status === 'deleted')
      throw invalidState(row, 'no snapshot of it can be made');
    const memory = copiesMemory(row, request.memory, driver);
    const spec: SnapshotSpec = { sandbox: specOf(row), staged: uploads.stagedOf(row.id) };
    const begun: SnapshotRow = {
      id: randomUUID() as SnapshotId,
      namespace: row.namespace,
      name: request.name,
      sandbox: row.id,
      status: 'creating',
      spec,
      memory,
      sizeBytes: 0,
      metadata: request.metadata ?? {},
      pauseMs: 0,
      createdAt: new Date(),
    };
    this.#insert(begun);
    try {
      if (signal.aborted) throw givenUp(entry);
      const info = await driver.snapshots.create(begun.id, row.id, { memory, signal });
      if (signal.aborted) {
        await driver.snapshots.remove(begun.id);
        throw givenUp(entry);
      }
      const made: SnapshotRow = { ...begun, ...info, status: 'ready' };
      table.update(made);
      const object = snapshotObject(made);
      const { id: snapshot_id, size_bytes, pause_ms } = object;
      events.emit(row, 'snapshotted', { snapshot_id, memory: object.memory, size_bytes, pause_ms });
      return object;
    } catch (error) {
      table.delete(begun.id);
      throw signal.aborted ? givenUp(entry) : error;
    }
  }

  #insert(row: SnapshotRow): void {
    const { table } = this.#options;
    if (table.all().length >= maxSnapshots)
      throw new SandportFault('limit_reached', `There are ${maxSnapshots} snapshots already.`, {
        limit: maxSnapshots,
      });
    try {
      table.insert(row);
    } catch (error) {
      if (!(error instanceof NameTakenError)) throw error;
      throw new SandportFault(
        'name_taken',
        `Another snapshot of "${row.namespace}" is called "${row.name}".`,
        { name: row.name },
      );
    }
  }

  #visible(principal: Principal): SnapshotRow[] {
    return this.#options.table
      .all()
      .filter(({ status, namespace }) => status === 'ready' && mayUse(principal, namespace));
  }

  /** `default` comes first when several namespaces that the key may use have the name. */
  #find(principal: Principal, idOrName: string): SnapshotRow {
    const visible = this.#visible(principal);
    const named = visible.filter(({ name }) => name === idOrName);
    const row =
      visible.find(({ id }) => id === idOrName) ??
      named.find(({ namespace }) => namespace === 'default') ??
      named[0];
    if (row !== undefined) return row;
    throw new SandportFault('snapshot_not_found', `No snapshot "${idOrName.slice(0, 100)}".`, {
      snapshot: idOrName.slice(0, 100),
    });
  }
}

const givenUp = ({ row }: Entry): SandportFault =>
  new SandportFault(
    'snapshot_failed',
    `No snapshot of ${row.name ?? row.id} was made: the sandbox was deleted, or the client went away.`,
    { sandbox: row.id, reason: 'given up' },
  );
