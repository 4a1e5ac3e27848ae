import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SnapshotInfo, SnapshotStore } from '@sandport/driver';
import { type SandboxId, SandportFault, type SnapshotId } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import { whileStill } from '../fork/while-still.ts';
import type { HeldSandbox } from '../sandbox/held-sandbox.ts';
import type { DiskOrigin } from '../sandbox/prepare-disk.ts';
import { deleteTrash } from '../sandbox/remove.ts';
import { volumeGuestPath } from '../sandbox/volume-mounts.ts';
import { moveToTrash } from '../storage/places.ts';
import { clonedDirectory, diskPath } from '../storage/storage.ts';
import { syncFiles } from '../storage/sync-files.ts';
import { imageBytes } from './image-files.ts';
import { readSnapshotRecord, type SnapshotRecord, writeSnapshotRecord } from './snapshot-record.ts';

/** Where the parts of one snapshot lie; its disk is at `disk`, as that of a sandbox. */
interface SnapshotLayout {
  readonly directory: string;
  readonly record: string;
  readonly image: string;
}

/** What a sandbox that is made from a snapshot begins with. */
export interface SnapshotOrigin extends DiskOrigin {
  readonly memory:
    | { readonly imageDir: string; readonly mountPaths: readonly string[] }
    | undefined;
}

export interface LocalSnapshotsOptions {
  /** Runs what must not meet other changes of the sandbox; aborted when that is removed. */
  readonly during: <T>(id: SandboxId, task: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/** Snapshots as directories with a disk each; one without a record is not there. */
export class LocalSnapshots implements SnapshotStore {
  readonly #context: DriverContext;
  readonly #during: LocalSnapshotsOptions['during'];
  /** How many use the disk of a snapshot at this moment. */
  readonly #users = new Map<SnapshotId, number>();
  #opening: Promise<unknown> = Promise.resolve();

  constructor(context: DriverContext, { during }: LocalSnapshotsOptions) {
    this.#context = context;
    this.#during = during;
  }

  create(
    id: SnapshotId,
    sandbox: SandboxId,
    { memory, signal }: { readonly memory: boolean; readonly signal?: AbortSignal },
  ): Promise<SnapshotInfo> {
    const held = this.#context.held.get(sandbox);
    if (held === undefined) throw failed(sandbox, 'the sandbox is not there');
    return this.#during(sandbox, async (ended) => {
      const until = signal ? AbortSignal.any([signal, ended]) : ended;
      try {
        return await this.#create(id, held, memory, until);
      } catch (error) {
        await this.remove(id);
        throw snapshotFault(sandbox, error, until);
      }
    });
  }

  async remove(id: SnapshotId): Promise<void> {
    await this.#remove(id);
  }

  async #remove(id: string): Promise<void> {
    const { directory, record } = this.#layout(id);
    if (!existsSync(directory)) return;
    const known = readSnapshotRecord(record);
    const { trash } = this.#context.layout;
    await deleteTrash(this.#context, moveToTrash(directory, trash));
    if (known) this.#context.templates.release(known.template, known.templateVersion, markOf(id));
  }

  /** Removes what nobody knows, and what is half-made. */
  async adopt(known: readonly SnapshotId[]): Promise<void> {
    const kept = new Set<string>(known);
    for (const name of readdirSync(this.#context.layout.snapshots)) {
      const isMade = readSnapshotRecord(this.#layout(name).record) !== undefined;
      if (!kept.has(name) || !isMade) await this.#remove(name);
    }
  }

  /** @throws SandportFault `snapshot_not_found` */
  origin(id: SnapshotId): SnapshotOrigin {
    const layout = this.#layout(id);
    const record = readSnapshotRecord(layout.record);
    if (record === undefined)
      throw new SandportFault('snapshot_not_found', `No snapshot has the id ${id}.`, {
        snapshot: id,
      });
    return {
      template: record.template,
      templateVersion: record.templateVersion,
      clone: (to, options) =>
        this.#withDisk(id, () => this.#context.disks.clone(layout, to, options)),
      token: record.memory?.token,
      memory: record.memory && {
        imageDir: layout.image,
        mountPaths: record.memory.mountPaths,
      },
    };
  }

  /** Lends the layer of a snapshot to whoever only reads it. */
  lend<T>(id: SnapshotId, read: (layer: string) => Promise<T>): Promise<T> {
    return this.#withDisk(id, () => read(join(diskPath(this.#layout(id)), clonedDirectory)));
  }

  async #create(
    id: SnapshotId,
    held: HeldSandbox,
    memory: boolean,
    signal: AbortSignal,
  ): Promise<SnapshotInfo> {
    const { disks, templates } = this.#context;
    const { isolation, template, templateVersion, guestIds, idBase, token } = held.record;
    const layout = this.#layout(id);
    mkdirSync(layout.directory, { mode: 0o700 });
    templates.acquireVersion(template, templateVersion, markOf(id), layout.directory);
    const { pauseMs } = await whileStill(this.#context, held, {
      imageDir: memory ? layout.image : undefined,
      // No limit: what fits into a disk need not fit into another one of the same size.
      take: () => disks.clone(held.layout, layout, { idBase: guestIds ? 0 : idBase, signal }),
    });
    signal.throwIfAborted();
    await syncFiles(layout.directory, diskPath(layout));
    const { usedBytes, ownBytes = usedBytes } = await disks.usage(layout);
    await disks.close(layout);
    const record: SnapshotRecord = {
      isolation,
      template,
      templateVersion,
      ...(memory && { memory: { token, mountPaths: held.spec.volumes.map(volumeGuestPath) } }),
    };
    writeSnapshotRecord(layout.record, record);
    return { memory, pauseMs, sizeBytes: ownBytes + (memory ? imageBytes(layout.image) : 0) };
  }

  /** Several may clone it at one time; the last one closes it. */
  async #withDisk<T>(id: SnapshotId, use: () => Promise<T>): Promise<T> {
    const layout = this.#layout(id);
    const { disks } = this.#context;
    const turn = (task: () => Promise<void>): Promise<void> => {
      const done = this.#opening.catch(() => {}).then(task);
      this.#opening = done;
      return done;
    };
    this.#users.set(id, (this.#users.get(id) ?? 0) + 1);
    try {
      await turn(() => disks.open(layout));
      return await use();
    } finally {
      const left = (this.#users.get(id) ?? 1) - 1;
      if (left > 0) this.#users.set(id, left);
      else {
        this.#users.delete(id);
        await turn(async () => {
          if (!this.#users.has(id)) await disks.close(layout);
        });
      }
    }
  }

  #layout(id: string): SnapshotLayout {
    const directory = join(this.#context.layout.snapshots, id);
    return {
      directory,
      record: join(directory, 'snapshot.json'),
      image: join(directory, 'memory'),
    };
  }
}

/** Name under which a snapshot holds its template version. */
const markOf = (id: string): string => `snapshot-${id}`;

const failed = (sandbox: SandboxId, reason: string, cause?: unknown): SandportFault =>
  new SandportFault(
    'snapshot_failed',
    `The snapshot could not be made: ${reason}.`,
    { sandbox, reason },
    { cause },
  );

function snapshotFault(sandbox: SandboxId, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof SandportFault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (/ENOSPC|EDQUOT|no space left/i.test(reason))
    return new SandportFault('disk_full', 'The disk is full; the snapshot was not made.');
  return failed(sandbox, reason, error);
}
