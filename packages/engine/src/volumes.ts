import type { VolumeStore } from '@sandport/driver';
import {
  type Namespace,
  SandportFault,
  type VolumeMount,
  type VolumeName,
  type VolumeObject,
} from '@sandport/protocol';
import type { VolumeRow, VolumeTable } from '@sandport/state';
import { mayUse, type Principal } from './principal.ts';

/** Who mounts a volume: the ids of sandboxes. */
export type VolumeUsers = (namespace: Namespace, name: VolumeName) => string[];

/** Named directories that outlive sandboxes. */
export class Volumes {
  readonly #table: VolumeTable;
  readonly #store: VolumeStore;
  readonly #users: VolumeUsers;

  constructor(table: VolumeTable, store: VolumeStore, users: VolumeUsers) {
    this.#table = table;
    this.#store = store;
    this.#users = users;
  }

  list(principal: Principal, namespace?: Namespace): VolumeObject[] {
    return this.#table
      .all()
      .filter((row) => mayUse(principal, row.namespace))
      .filter((row) => namespace === undefined || row.namespace === namespace)
      .map((row) => this.#toObject(row));
  }

  get(principal: Principal, namespace: Namespace, name: VolumeName): VolumeObject {
    const row = this.#table
      .all()
      .find((each) => each.namespace === namespace && each.name === name);
    if (row === undefined || !mayUse(principal, namespace))
      throw new SandportFault('volume_not_found', `No volume "${name}" in "${namespace}".`, {
        volume: name,
      });
    return this.#toObject(row);
  }

  /** Makes it when it is missing. */
  async create(
    principal: Principal,
    namespace: Namespace,
    name: VolumeName,
  ): Promise<VolumeObject> {
    if (!mayUse(principal, namespace))
      throw new SandportFault(
        'forbidden',
        `This API key may not use the namespace "${namespace}".`,
      );
    await this.ensure(namespace, [{ name }]);
    return this.get(principal, namespace, name);
  }

  /** Makes those that a new sandbox mounts and that are missing. */
  async ensure(namespace: Namespace, mounts: readonly VolumeMount[]): Promise<void> {
    for (const { name } of mounts) {
      await this.#store.ensure(namespace, name);
      this.#table.ensure(namespace, name);
    }
  }

  /** @throws SandportFault `volume_in_use` while a sandbox mounts it. */
  async remove(principal: Principal, namespace: Namespace, name: VolumeName): Promise<void> {
    const { used_by: sandboxes } = this.get(principal, namespace, name);
    if (sandboxes.length > 0)
      throw new SandportFault(
        'volume_in_use',
        `The volume "${name}" is mounted by ${sandboxes.length} sandbox(es).`,
        { volume: name, sandboxes },
      );
    this.#table.delete(namespace, name);
    await this.#store.remove(namespace, name);
  }

  #toObject(row: VolumeRow): VolumeObject {
    return {
      name: row.name,
      namespace: row.namespace,
      created_at: row.createdAt.toISOString(),
      used_by: this.#users(row.namespace, row.name),
    };
  }
}
