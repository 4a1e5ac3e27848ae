import { randomBytes } from 'node:crypto';
import type { SandboxFiles, StagedFileRef } from '@sandport/driver';
import { SandportFault, type SandboxId, type UploadObject } from '@sandport/protocol';
import type { UploadRow, UploadTable } from '@sandport/state';
import type { Files } from '../files/files.ts';
import type { Principal } from '../principal.ts';
import { Reaper } from '../sandboxes/reaper.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import type { WakeOptions } from '../sandboxes/states.ts';
import { HeldUpload, offsetOf } from './held-upload.ts';
import { RunningHashes } from './running-hashes.ts';
import { noUpload } from './upload-faults.ts';
import { type UploadLock, UploadLocks } from './upload-locks.ts';
import { parseUploadMetadata } from './upload-metadata.ts';

/** Most uploads of one sandbox that are under way. */
const maxUploads = 64;

export interface UploadsOptions {
  readonly table: UploadTable;
  readonly sandboxes: Sandboxes;
  readonly files: Files;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
  /** How long an upload may wait for its next byte, in milliseconds. @default 24 hours */
  readonly lifetimeMs?: number;
  /** How long it can be asked about after its file has appeared, in milliseconds. @default 1 hour */
  readonly keptMs?: number;
}

/** What a client that comes back is told. */
export interface UploadState {
  readonly row: UploadRow;
  /** Bytes that have come. */
  readonly offset: number;
}

/** Files that come in several requests, also across restarts of the daemon. */
export class Uploads implements Disposable {
  readonly #options: UploadsOptions;
  readonly #lifetimeMs: number;
  readonly #keptMs: number;
  readonly #locks = new UploadLocks();
  readonly #hashes = new RunningHashes();
  readonly #reaper: Reaper;

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#lifetimeMs = options.lifetimeMs ?? 24 * 3_600_000;
    this.#keptMs = options.keptMs ?? 3_600_000;
    this.#reaper = new Reaper(
      () => options.table.nextExpiry(),
      () => this.#removeExpired(),
    );
  }

  /** Begins to remove what has expired. To be called once the sandboxes are known. */
  start(): void {
    this.#reaper.reschedule();
  }

  /** Those under way, oldest first. */
  async list(principal: Principal, idOrName: string): Promise<UploadObject[]> {
    const files = await this.#options.files.reading(principal, idOrName);
    const { row: sandbox } = this.#options.sandboxes.find(principal, idOrName);
    const objects = this.#options.table.ofSandbox(sandbox.id).map(async (row) => ({
      id: row.id,
      path: row.path,
      ...(row.size === undefined ? {} : { size: row.size }),
      offset: await offsetOf(row, files).catch(() => 0),
      created_at: row.createdAt.toISOString(),
      expires_at: row.expiresAt.toISOString(),
    }));
    return Promise.all(objects);
  }

  /**
   * Begins an upload. @param request.size bytes in all, undefined while unknown
   * @throws SandportFault `limit_reached`, `precondition_failed`, as a write
   */
  async create(
    principal: Principal,
    idOrName: string,
    request: { size: number | undefined; metadata: Readonly<Record<string, string | null>> },
    options: WakeOptions = {},
  ): Promise<HeldUpload> {
    const { table, files, sandboxes } = this.#options;
    const { path, write } = parseUploadMetadata(request.metadata);
    const sandboxFiles = await files.writing(principal, idOrName, options);
    const sandbox = sandboxes.find(principal, idOrName).row.id;
    if (table.ofSandbox(sandbox).length >= maxUploads)
      throw new SandportFault(
        'limit_reached',
        `The sandbox has ${maxUploads} uploads under way already; finish some, or give them up.`,
        { limit: maxUploads },
      );
    const { precondition } = write;
    const staged = await sandboxFiles.staged.create(
      path,
      precondition === undefined ? {} : { precondition },
    );
    const now = Date.now();
    const row: UploadRow = {
      id: randomBytes(16).toString('hex'),
      sandbox,
      path,
      size: request.size,
      metadata: request.metadata,
      staged,
      trustedBytes: undefined,
      etag: undefined,
      createdAt: new Date(now),
      expiresAt: new Date(now + this.#lifetimeMs),
    };
    table.insert(row);
    this.#hashes.keepOnly((id) => table.get(id) !== undefined);
    this.#reaper.reschedule();
    return this.#held(row, await this.#locks.take(row.id, { force: false }), sandboxFiles);
  }

  /**
   * Takes an upload to add to it; wakes a hibernated sandbox. The caller disposes of it.
   * @throws SandportFault `upload_not_found`, `upload_conflict` while another request adds to it
   */
  async hold(
    principal: Principal,
    idOrName: string,
    id: string,
    options: WakeOptions = {},
  ): Promise<HeldUpload> {
    this.#find(principal, idOrName, id);
    await this.#options.files.writing(principal, idOrName, options);
    return this.#hold(principal, idOrName, id, false);
  }

  /**
   * How much has come. Lets the file appear when all has, but an earlier request did not get to it.
   * @throws SandportFault `upload_not_found`, what {@link HeldUpload.finish} throws
   */
  async look(principal: Principal, idOrName: string, id: string): Promise<UploadState> {
    const { sandbox } = this.#find(principal, idOrName, id);
    const files = await this.#options.files.reading(principal, sandbox);
    const lock = await this.#locks.tryTake(id, { force: false });
    try {
      const row = this.#find(principal, idOrName, id);
      const offset = await offsetOf(row, files);
      if (lock === undefined || row.etag !== undefined || offset !== row.size)
        return { row, offset };
      const upload = this.#held(row, lock, files);
      await upload.finish();
      return { row: upload.row, offset };
    } finally {
      lock?.release();
    }
  }

  /** Gives an upload up, also one that is getting bytes. @throws SandportFault `upload_not_found` */
  async remove(principal: Principal, idOrName: string, id: string): Promise<void> {
    using upload = await this.#hold(principal, idOrName, id, true);
    await upload.remove();
  }

  /** Removes the bytes of all uploads to a sandbox, which may lie on volumes that stay. */
  async discardAll(sandbox: SandboxId, files: SandboxFiles): Promise<void> {
    for (const row of this.#options.table.ofSandbox(sandbox)) {
      await files.staged.discard(row.staged);
      this.#options.table.delete(row.id);
    }
  }

  /** Where the bytes of uploads to a sandbox are, for copies of its disk. */
  stagedOf(sandbox: SandboxId): StagedFileRef[] {
    return this.#options.table.ofSandbox(sandbox).map(({ staged }) => staged);
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    this.#reaper[Symbol.dispose]();
  }

  async #hold(
    principal: Principal,
    idOrName: string,
    id: string,
    force: boolean,
  ): Promise<HeldUpload> {
    this.#find(principal, idOrName, id);
    const lock = await this.#locks.take(id, { force });
    return this.#heldAgain(lock, principal, idOrName, id);
  }

  /** Reads the row once more: the request before may have ended the upload. */
  async #heldAgain(
    lock: UploadLock,
    principal: Principal,
    idOrName: string,
    id: string,
  ): Promise<HeldUpload> {
    try {
      const row = this.#find(principal, idOrName, id);
      return this.#held(row, lock, await this.#options.files.reading(principal, row.sandbox));
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  #held(row: UploadRow, lock: UploadLock, files: SandboxFiles): HeldUpload {
    const { table } = this.#options;
    const [lifetimeMs, keptMs] = [this.#lifetimeMs, this.#keptMs];
    return new HeldUpload(row, { files, table, hashes: this.#hashes, lock, lifetimeMs, keptMs });
  }

  #find(principal: Principal, idOrName: string, id: string): UploadRow {
    const { row: sandbox } = this.#options.sandboxes.find(principal, idOrName);
    const row = this.#options.table.get(id);
    if (row?.sandbox !== sandbox.id || row.expiresAt.getTime() <= Date.now()) throw noUpload(id);
    return row;
  }

  #removeExpired(): void {
    for (const row of this.#options.table.expired(new Date())) {
      // One that gets bytes at this moment lives on.
      if (this.#locks.isHeld(row.id)) {
        const expiresAt = new Date(Date.now() + this.#lifetimeMs);
        this.#options.table.update({ ...row, expiresAt });
        continue;
      }
      this.#options.table.delete(row.id);
      this.#hashes.forget(row.id);
      if (row.etag !== undefined) continue;
      this.#options.log('upload expired', { upload: row.id, sandbox: row.sandbox });
      this.#discard(row).catch((error: unknown) => {
        const fields = { upload: row.id, sandbox: row.sandbox, error: String(error) };
        this.#options.log('bytes of an expired upload not removed', fields);
      });
    }
  }

  async #discard(row: UploadRow): Promise<void> {
    const files = await this.#options.files.reading(everyone, row.sandbox);
    await files.staged.discard(row.staged);
  }
}

/** The daemon itself. */
const everyone: Principal = { keyId: '', namespaces: undefined };
