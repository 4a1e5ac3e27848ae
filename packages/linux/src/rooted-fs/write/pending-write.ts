import type { Writable } from 'node:stream';
import type { RootDirectory } from '../paths/root-directory.ts';
import type { BegunWrite } from './begin-write.ts';
import { PendingBytes } from './pending-bytes.ts';
import type { WritePlan } from './put-in-place.ts';

/** What a commit has done. */
export interface Committed {
  /** Bytes that were written. */
  readonly bytes: number;
  /** Bytes that the file has. */
  readonly size: number;
  readonly etag: string;
}

/** A write whose bytes are collected beside its target, until a commit says what becomes of them. */
export abstract class PendingWrite implements AsyncDisposable {
  protected readonly pending: PendingBytes;
  protected readonly plan: WritePlan;
  protected readonly path: string;
  protected readonly root: RootDirectory;

  /** Takes over `target.directory`. @throws SystemError */
  constructor({ target, plan, root }: BegunWrite, path: string) {
    this.root = root;
    this.pending = new PendingBytes(target, plan.creation, path);
    this.plan = plan;
    this.path = path;
  }

  /** Takes the bytes; its errors are RootedFsErrors. */
  get stream(): Writable {
    return this.pending.stream;
  }

  /** Takes all bytes at once, instead of `stream`. @throws RootedFsError */
  writeSmall(contents: Uint8Array): void {
    this.pending.writeSmall(contents);
  }

  get bytesWritten(): number {
    return this.pending.bytesWritten;
  }

  /** Drops the bytes; nothing else has changed. Idempotent; does nothing after a commit. */
  abort(): Promise<void> {
    return this.pending.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }
}
