import type { SandboxFiles } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { UploadRow, UploadTable } from '@sandport/state';
import type { Writable } from 'node:stream';
import type { RunningHashes } from './running-hashes.ts';
import { sha256OfStaged } from './staged-digest.ts';
import { aboutUpload, uploadIsGone } from './upload-faults.ts';
import type { UploadLock } from './upload-locks.ts';
import { parseUploadMetadata } from './upload-metadata.ts';

export interface HeldUploadParts {
  readonly files: SandboxFiles;
  readonly table: UploadTable;
  readonly hashes: RunningHashes;
  readonly lock: UploadLock;
  /** Since the last byte, in milliseconds. */
  readonly lifetimeMs: number;
  /** After the file has appeared, in milliseconds. */
  readonly keptMs: number;
}

/** Where bytes go, and who is told of them. */
export interface UploadSink {
  readonly stream: Writable;
  /** To be called with every chunk that is written. */
  saw(chunk: Buffer): void;
}

/** An upload that one request has for itself. Must be released. */
export class HeldUpload implements Disposable {
  readonly #parts: HeldUploadParts;
  #row: UploadRow;

  constructor(row: UploadRow, parts: HeldUploadParts) {
    this.#row = row;
    this.#parts = parts;
  }

  get row(): UploadRow {
    return this.#row;
  }

  /** Bytes that have come. @throws SandportFault `upload_not_found` when the guest removed them */
  async offset(): Promise<number> {
    return offsetOf(this.#row, this.#parts.files);
  }

  /** Says how many bytes there are in all, of an upload that did not say so. */
  declareSize(size: number): void {
    this.#change({ size });
  }

  /**
   * Appends what `receive` writes. What came before an error stays, unless it is `checked`: then it
   * counts only when `receive` succeeds, even if the daemon ends meanwhile.
   * @returns the new offset @throws what `receive` throws, `disk_full`, `upload_not_found`
   */
  async append(
    offset: number,
    checked: boolean,
    receive: (sink: UploadSink) => Promise<void>,
  ): Promise<number> {
    if (this.#row.etag !== undefined) return offset;
    const { files, lock, hashes } = this.#parts;
    const { id, staged, metadata } = this.#row;
    return aboutUpload(this.#row, async () => {
      const append = await files.staged.append(staged, offset);
      const trustedBytes = checked ? offset : undefined;
      if (this.#row.trustedBytes !== trustedBytes) this.#change({ trustedBytes });
      const hash = metadata['sha256'] ? hashes.begin(id, offset) : undefined;
      const saw = (chunk: Buffer) => {
        lock.touch();
        hash?.(chunk);
      };
      try {
        lock.stoppedBy(() => append.stream.destroy(takenOver(id)));
        await receive({ stream: append.stream, saw });
      } catch (error) {
        await append.close();
        // Until they are cut off, bytes that failed their check do not count.
        if (checked) await files.staged.truncate(staged, offset);
        throw error;
      } finally {
        lock.stoppedBy(undefined);
        await append.close();
        this.#change({ expiresAt: inFuture(this.#parts.lifetimeMs) });
      }
      if (checked) this.#change({ trustedBytes: undefined });
      return offset + append.bytes;
    });
  }

  /**
   * Lets the file appear. All bytes must be there. Again and again the same answer.
   * @returns the file's ETag
   * @throws SandportFault `digest_mismatch` and `precondition_failed`: the upload is over then
   */
  async finish(): Promise<string> {
    const { size, etag, path, staged } = this.#row;
    if (etag !== undefined) return etag;
    const { files } = this.#parts;
    const offset = await this.offset();
    if (size === undefined || offset !== size)
      throw new SandportFault('upload_conflict', `The upload has ${offset} bytes, not ${size}.`, {
        upload: this.#row.id,
        offset,
      });
    return aboutUpload(this.#row, async () => {
      try {
        await this.#verify(size);
        const { write } = parseUploadMetadata(this.#row.metadata);
        const written = await files.staged.publish(staged, path, write);
        this.#parts.hashes.forget(this.#row.id);
        this.#change({ etag: written.etag, expiresAt: inFuture(this.#parts.keptMs) });
        return written.etag;
      } catch (error) {
        if (error instanceof SandportFault && endsUpload.has(error.code)) await this.remove();
        throw error;
      }
    });
  }

  /** Gives it up. A file that has appeared stays. */
  async remove(): Promise<void> {
    const { id, etag, staged } = this.#row;
    if (etag === undefined) await this.#parts.files.staged.discard(staged);
    this.#parts.hashes.forget(id);
    this.#parts.table.delete(id);
  }

  [Symbol.dispose](): void {
    this.#parts.lock.release();
  }

  async #verify(size: number): Promise<void> {
    const { files, hashes } = this.#parts;
    const { id, path, staged, metadata } = this.#row;
    const { sha256: expected } = parseUploadMetadata(metadata);
    if (expected === undefined) return;
    const received = hashes.digest(id, size) ?? (await sha256OfStaged(files, staged));
    if (received.equals(expected)) return;
    throw new SandportFault(
      'digest_mismatch',
      `The bytes for ${path} do not have the SHA-256 that was announced; nothing was written.`,
      { path, expected: expected.toString('hex'), received: received.toString('hex') },
    );
  }

  #change(change: Partial<UploadRow>): void {
    this.#row = { ...this.#row, ...change };
    this.#parts.table.update(this.#row);
  }
}

/** After these the same bytes can never become the file. */
const endsUpload: ReadonlySet<string> = new Set(['digest_mismatch', 'precondition_failed']);

/** Bytes of an upload that have come and count. @throws SandportFault `upload_not_found` */
export async function offsetOf(row: UploadRow, files: SandboxFiles): Promise<number> {
  if (row.etag !== undefined) return row.size ?? 0;
  const size = await files.staged.size(row.staged);
  if (size === undefined) throw uploadIsGone(row);
  return Math.min(size, row.trustedBytes ?? size);
}

const inFuture = (ms: number) => new Date(Date.now() + ms);

const takenOver = (id: string) =>
  new SandportFault('upload_conflict', 'Another request has taken this upload over.', {
    upload: id,
  });
