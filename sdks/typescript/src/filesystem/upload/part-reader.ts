import { Buffer } from 'node:buffer';
import { webcrypto } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { LocalFileError } from '../../errors/client-errors.ts';
import { reason } from '../write/local-source.ts';

/** Longest part that is sent, and checked, at once. */
export const partBytes = 16 * 1024 * 1024;

/** A piece of a local file with its SHA-256 in base64. */
export interface FilePart {
  readonly offset: number;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/**
 * Reads a local file part by part, one part ahead, hashing aside of the event loop. Holds two
 * parts; one is good until the next but one is asked for.
 */
export class PartReader {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #stats: BigIntStats;
  readonly #buffers = [Buffer.alloc(0), Buffer.alloc(0)];
  #turn = 0;
  #ahead: { readonly offset: number; readonly part: Promise<FilePart> } | undefined;

  /** @param stats of the handle, from when the transfer began */
  constructor(handle: FileHandle, path: string, stats: BigIntStats) {
    this.#handle = handle;
    this.#path = path;
    this.#stats = stats;
  }

  get sizeBytes(): number {
    return Number(this.#stats.size);
  }

  /** The part at this offset. @throws LocalFileError when the file changed since the beginning */
  async part(offset: number): Promise<FilePart> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    // What was read for another offset is waited for: its buffer is used again.
    const done = await ahead?.part.catch((error: unknown) => {
      if (ahead.offset === offset) throw error;
      return undefined;
    });
    const part = done?.offset === offset ? done : await this.#read(offset);
    await this.#checkUnchanged();
    const next = offset + part.bytes.length;
    if (next < this.sizeBytes) {
      const reading = this.#read(next);
      reading.catch(() => {});
      this.#ahead = { offset: next, part: reading };
    }
    return part;
  }

  /** Waits for what is still being read; the handle can be closed then. */
  async settle(): Promise<void> {
    await this.#ahead?.part.catch(() => {});
  }

  async #read(offset: number): Promise<FilePart> {
    this.#turn = 1 - this.#turn;
    const length = Math.min(partBytes, this.sizeBytes - offset);
    const buffer = this.#buffer(length);
    let at = 0;
    while (at < length) {
      const { bytesRead } = await this.#handle
        .read(buffer, at, length - at, offset + at)
        .catch((cause: unknown) => {
          throw new LocalFileError(
            `The local file ${this.#path} cannot be read: ${reason(cause)}.`,
            this.#path,
            cause,
          );
        });
      if (bytesRead === 0) throw this.#changed();
      at += bytesRead;
    }
    const bytes = buffer.subarray(0, length);
    const hash = await webcrypto.subtle.digest('SHA-256', bytes);
    return { offset, bytes, sha256: Buffer.from(hash).toString('base64') };
  }

  #buffer(length: number): Buffer {
    const there = this.#buffers[this.#turn];
    if (there !== undefined && there.length >= length) return there;
    const made = Buffer.allocUnsafeSlow(length);
    this.#buffers[this.#turn] = made;
    return made;
  }

  async #checkUnchanged(): Promise<void> {
    const { size, mtimeNs } = await this.#handle.stat({ bigint: true });
    if (size !== this.#stats.size || mtimeNs !== this.#stats.mtimeNs) throw this.#changed();
  }

  #changed(): LocalFileError {
    return new LocalFileError(
      `The local file ${this.#path} changed while it was sent. Nothing was written.`,
      this.#path,
    );
  }
}
