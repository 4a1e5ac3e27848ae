import type { SandboxFiles, VolumeStore } from '@sandport/driver';
import {
  type CreateVolume,
  type Namespace,
  SandportFault,
  type VolumeMount,
  type VolumeName,
  type VolumeObject,
} from '@sandport/protocol';
import type { VolumeRow, VolumeTable } from '@sandport/state';
import { mayUse, type Principal, requireMayUse } from './principal.ts';
import type { Quotas } from './quotas/quotas.ts';
import { volumeKey } from './sandboxes/registry.ts';
import { Turns } from './sandboxes/turns.ts';

export interface VolumesOptions {
  readonly table: VolumeTable;
  readonly store: VolumeStore;
  readonly quotas: Pick<Quotas, 'admitVolume'>;
  /** By volume, as {@link volumeKey}: the ids of the sandboxes that mount it. */
  readonly users: () => ReadonlyMap<string, readonly string[]>;
}

/**
 * Named storage that outlives sandboxes. What makes and what removes a volume takes turns: a
 * sandbox that is made while a volume is removed gets a new, empty one, or the removal is refused.
 */
export class Volumes {
  readonly #options: VolumesOptions;
  readonly #turns = new Map<string, Turns>();
  /** Those that the driver is known to have. */
  readonly #ready = new Set<string>();

  constructor(options: VolumesOptions) {
    this.#options = options;
  }

  list(principal: Principal, namespace?: Namespace): VolumeObject[] {
    const users = this.#options.users();
    return this.#options.table
      .all()
      .filter((row) => mayUse(principal, row.namespace))
      .filter((row) => namespace === undefined || row.namespace === namespace)
      .map((row) => toObject(row, users));
  }

  /** One volume, with the bytes that it holds. @throws SandportFault `volume_not_found` */
  async get(principal: Principal, namespace: Namespace, name: VolumeName): Promise<VolumeObject> {
    await this.#makeReady(principal, namespace, name);
    const { usedBytes } = await this.#options.store.usage(namespace, name);
    const row = this.#find(principal, namespace, name);
    return { ...toObject(row, this.#options.users()), size_bytes: usedBytes };
  }

  /** Makes it when it is missing. @throws SandportFault `volume_exists` with another size */
  async create(
    principal: Principal,
    namespace: Namespace,
    request: Pick<CreateVolume, 'name' | 'size_mb'>,
  ): Promise<VolumeObject> {
    requireMayUse(principal, namespace);
    await this.ensure(namespace, [request]);
    return this.get(principal, namespace, request.name);
  }

  /**
   * Makes those that a sandbox mounts and that are missing. The sandbox counts as a user already.
   * @throws SandportFault `volume_exists` for a size that is not the volume's, `disk_full`,
   * `limit_reached`
   */
  async ensure(
    namespace: Namespace,
    mounts: readonly Pick<VolumeMount, 'name' | 'size_mb'>[],
  ): Promise<void> {
    for (const { name, size_mb: sizeMb } of mounts)
      await this.#take(namespace, name, () => this.#ensure(namespace, name, sizeMb));
  }

  /** Its files, whether sandboxes mount it or not. @throws SandportFault `volume_not_found` */
  async files(principal: Principal, namespace: Namespace, name: VolumeName): Promise<SandboxFiles> {
    await this.#makeReady(principal, namespace, name);
    return this.#options.store.files(namespace, name);
  }

  /** @throws SandportFault `volume_not_found`, `volume_in_use` while a sandbox mounts it */
  async remove(principal: Principal, namespace: Namespace, name: VolumeName): Promise<void> {
    this.#find(principal, namespace, name);
    await this.#take(namespace, name, async () => {
      this.#find(principal, namespace, name);
      const key = volumeKey(namespace, name);
      const { table, store, users } = this.#options;
      const sandboxes = users().get(key) ?? [];
      if (sandboxes.length > 0)
        throw new SandportFault(
          'volume_in_use',
          `The volume "${name}" is mounted by ${sandboxes.length} sandbox(es).`,
          { volume: name, sandboxes },
        );
      this.#ready.delete(key);
      // The row goes last: after a crash in between the volume is there, empty, and can be deleted.
      await store.remove(namespace, name);
      table.delete(namespace, name);
    });
  }

  async #ensure(namespace: Namespace, name: VolumeName, sizeMb?: number): Promise<void> {
    const { table, store } = this.#options;
    const wanted = sizeMb === undefined ? undefined : sizeMb * 2 ** 20;
    const row = table.get(namespace, name);
    if (row !== undefined && wanted !== undefined && row.sizeBytes !== wanted) throw otherSize(row);
    const key = volumeKey(namespace, name);
    if (this.#ready.has(key)) return;
    const sizeBytes = row?.sizeBytes ?? wanted;
    if (row === undefined) this.#options.quotas.admitVolume(namespace, sizeBytes);
    table.ensure(namespace, name, sizeBytes);
    try {
      await store.ensure(namespace, name, { sizeBytes });
    } catch (error) {
      if (row === undefined) table.delete(namespace, name);
      throw error;
    }
    this.#ready.add(key);
  }

  /** The driver has it, even if an earlier daemon ended while it was made. */
  async #makeReady(principal: Principal, namespace: Namespace, name: VolumeName): Promise<void> {
    this.#find(principal, namespace, name);
    if (this.#ready.has(volumeKey(namespace, name))) return;
    await this.#take(namespace, name, async () => {
      this.#find(principal, namespace, name);
      await this.#ensure(namespace, name);
    });
  }

  /** @throws SandportFault `volume_not_found`, also in a namespace of others */
  #find(principal: Principal, namespace: Namespace, name: VolumeName): VolumeRow {
    const row = this.#options.table.get(namespace, name);
    if (row !== undefined && mayUse(principal, namespace)) return row;
    throw new SandportFault('volume_not_found', `No volume "${name}" in "${namespace}".`, {
      volume: name,
    });
  }

  /** Lets what is done to one volume come one after the other. */
  async #take<T>(namespace: Namespace, name: VolumeName, change: () => Promise<T>): Promise<T> {
    const key = volumeKey(namespace, name);
    const turns = this.#turns.get(key) ?? new Turns();
    this.#turns.set(key, turns);
    try {
      return await turns.take(change);
    } finally {
      if (!turns.busy) this.#turns.delete(key);
    }
  }
}

function toObject(row: VolumeRow, users: ReadonlyMap<string, readonly string[]>): VolumeObject {
  return {
    name: row.name,
    namespace: row.namespace,
    ...(row.sizeBytes === undefined ? {} : { size_mb: row.sizeBytes / 2 ** 20 }),
    created_at: row.createdAt.toISOString(),
    used_by: [...(users.get(volumeKey(row.namespace, row.name)) ?? [])],
  };
}

const otherSize = ({ name, sizeBytes }: VolumeRow): SandportFault =>
  new SandportFault(
    'volume_exists',
    `The volume "${name}" is there already, ${sizeBytes === undefined ? 'without a limit' : `with ${sizeBytes / 2 ** 20} MiB`}.`,
    { volume: name, ...(sizeBytes === undefined ? {} : { size_mb: sizeBytes / 2 ** 20 }) },
  );
