import type { Driver, SandboxSpec, StagedFileRef } from '@sandport/driver';
import {
  type Namespace,
  SandportFault,
  type SnapshotId,
  type VolumeMount,
} from '@sandport/protocol';
import type { SandboxRow, SnapshotRow } from '@sandport/state';
import { specOf } from '../sandboxes/entry.ts';
import { noNetwork } from '../sandboxes/network.ts';
import type { Origin } from '../sandboxes/new-row.ts';
import { mountPathOf } from '../sandboxes/volume-mounts.ts';

/** What the engine remembers of the sandbox that a snapshot was made of. */
export interface SnapshotSpec {
  readonly sandbox: SandboxSpec;
  /** Where the disk has bytes of unfinished uploads, which nobody will finish in a copy. */
  readonly staged: readonly StagedFileRef[];
}

/** The engine's part of a row. It was checked when it was made and is read back as it was. */
export const snapshotSpecOf = (row: SnapshotRow): SnapshotSpec => row.spec as SnapshotSpec;

/** A snapshot that is not removed until this is disposed of. */
export class UsedSnapshot implements Disposable {
  readonly id: SnapshotId;
  readonly namespace: Namespace;
  readonly staged: readonly StagedFileRef[];
  readonly sandbox: SandboxSpec;
  readonly #row: SnapshotRow;
  readonly #driver: Pick<Driver, 'memoryIsolations'>;
  readonly #release: () => void;

  constructor(row: SnapshotRow, driver: Pick<Driver, 'memoryIsolations'>, release: () => void) {
    this.id = row.id;
    this.namespace = row.namespace;
    ({ sandbox: this.sandbox, staged: this.staged } = snapshotSpecOf(row));
    this.#row = row;
    this.#driver = driver;
    this.#release = release;
  }

  [Symbol.dispose](): void {
    this.#release();
  }

  /** True: it has processes. */
  get memory(): boolean {
    return this.#row.memory;
  }

  /** What a sandbox that begins with it is like. */
  get origin(): Origin {
    const { template, isolation, limits, user, workdir, env, volumes } = this.sandbox;
    const { network = noNetwork } = this.sandbox;
    return { template, isolation, limits, user, workdir, env, volumes, network, snapshot: this.id };
  }

  /**
   * Whether a sandbox begins with its processes too.
   * @param wanted undefined: where that can be @throws SandportFault `memory_unavailable`
   */
  memoryFor(row: SandboxRow, wanted: boolean | undefined): boolean {
    if (wanted === false) return false;
    const why = this.whyNoMemory(row);
    if (why === undefined) return true;
    if (wanted === undefined) return false;
    throw new SandportFault(
      'memory_unavailable',
      `A sandbox cannot begin with the processes of the snapshot ${this.#row.name ?? this.id}: ${why}.`,
      { sandbox: row.id, isolation: row.isolation },
    );
  }

  /** Why the sandbox cannot have its processes; undefined when it can. */
  whyNoMemory(row: SandboxRow): string | undefined {
    const { isolation, volumes } = this.sandbox;
    if (!this.memory) return 'it has none';
    if (row.isolation !== isolation || !this.#driver.memoryIsolations.includes(isolation))
      return `they are of the isolation "${isolation}"`;
    if (row.namespace !== this.namespace || mountsText(specOf(row).volumes) !== mountsText(volumes))
      return 'they have other volumes open';
    return undefined;
  }
}

/** Equal for the same mounts, in whatever order. */
const mountsText = (volumes: readonly VolumeMount[]): string =>
  volumes
    .map((mount) => `${mountPathOf(mount)} ${mount.name} ${mount.read_only === true}`)
    .sort()
    .join('\n');
