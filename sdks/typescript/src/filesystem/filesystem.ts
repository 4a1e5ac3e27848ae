import { constants } from 'node:buffer';
import { Readable } from 'node:stream';
import {
  directoryListingSchema,
  fileEntrySchema,
  parseGuestPath,
  type WriteResult,
} from '@sandport/protocol';
import { TooLargeError } from '../errors/api-errors.ts';
import { checked } from '../errors/error-from-answer.ts';
import { SandportError } from '../errors/sandport-error.ts';
import type { Transport } from '../http/transport.ts';
import { contentSource, type FileContent } from './content.ts';
import { saveBody } from './download-file.ts';
import { type FileInfo, fileInfo } from './file-info.ts';
import { openLocalSource } from './local-source.ts';
import type { TransferOptions, WriteOptions } from './progress.ts';
import { type FileTarget, openFile, readFile } from './read-file.ts';
import { walk, type WalkStep } from './walk.ts';
import { writeFile } from './write-file.ts';

export interface SignalOptions {
  signal?: AbortSignal | undefined;
}

export interface StatOptions extends SignalOptions {
  /** False: of a symlink itself. @default true */
  followSymlinks?: boolean | undefined;
}

export interface RemoveOptions extends SignalOptions {
  /** Remove a directory with all that is in it. @default false */
  recursive?: boolean | undefined;
  /** False: a path that does not exist is no error. @default true */
  mustExist?: boolean | undefined;
}

/**
 * The files of a sandbox. Paths are absolute inside the sandbox; symlinks are followed. Bytes are
 * streamed, and their SHA-256 is checked on both sides. Works while no command can run.
 * Every method throws `NotFoundError` for a path that does not exist, `ConflictError` for a path of
 * the wrong kind, `BadRequestError` for one that is not absolute.
 */
export class Filesystem {
  readonly #transport: Transport;
  readonly #base: string;

  constructor(transport: Transport, sandboxId: string) {
    this.#transport = transport;
    this.#base = `/v1/sandboxes/${encodeURIComponent(sandboxId)}/fs`;
  }

  /**
   * Reads a file as text. Bytes that are not UTF-8 come as U+FFFD; a byte order mark is kept. Use
   * `readBytes` for anything that is not text.
   */
  async read(path: string, options: SignalOptions = {}): Promise<string> {
    const bytes = await this.readBytes(path, options);
    if (bytes.byteLength > constants.MAX_STRING_LENGTH) {
      throw new TooLargeError(`${path} is too large for a string; use readStream or download.`, {
        code: 'payload_too_large',
        details: { path, limit_bytes: constants.MAX_STRING_LENGTH },
      });
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  }

  /** Reads a whole file into memory. */
  async readBytes(path: string, options: SignalOptions = {}): Promise<Uint8Array> {
    return readFile(this.#transport, this.#target(path), options);
  }

  /**
   * Reads a file piece by piece. The stream ends with an error when the connection breaks or the
   * digest does not fit; destroy it when it is not read to its end.
   */
  async readStream(path: string, options: SignalOptions = {}): Promise<Readable> {
    return (await openFile(this.#transport, this.#target(path), options)).body;
  }

  /**
   * Writes a file, at once or not at all; missing parent directories are made. Of concurrent
   * writers the last one wins. An array must not be changed until the promise resolves; a stream
   * is destroyed at the end.
   * @returns the path and the number of bytes written
   */
  async write(
    path: string,
    content: FileContent,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    const target = this.#target(path);
    try {
      return await writeFile(this.#transport, target, contentSource(content), options);
    } finally {
      // A stream that was not read to its end would keep what it holds open.
      if (content instanceof Readable) content.destroy();
    }
  }

  /**
   * Copies a local file into the sandbox, whatever its size, without holding it in memory.
   * @throws LocalFileError when the local file cannot be read or changes meanwhile
   */
  async upload(
    localPath: string,
    remotePath: string,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    const target = this.#target(remotePath);
    const { source, handle } = await openLocalSource(localPath);
    try {
      return await writeFile(this.#transport, target, source, options);
    } finally {
      await handle.close();
    }
  }

  /**
   * Copies a file of the sandbox to this machine, without holding it in memory. The parents of
   * `localPath` are made; it is replaced once all bytes have come and been checked.
   * @throws LocalFileError when the local file cannot be written
   */
  async download(
    remotePath: string,
    localPath: string,
    options: TransferOptions = {},
  ): Promise<{ path: string; bytes: number }> {
    const { signal, onProgress } = options;
    const target = this.#target(remotePath);
    const { body, sizeBytes: totalBytes } = await openFile(this.#transport, target, { signal });
    try {
      const bytes = await saveBody(body, localPath, (done) =>
        onProgress?.({ bytes: done, totalBytes }),
      );
      return { path: localPath, bytes };
    } finally {
      body.destroy();
    }
  }

  /** Entries of a directory, sorted by name byte by byte. */
  async list(path = '/', options: SignalOptions = {}): Promise<FileInfo[]> {
    const listing = await this.#transport.json(
      {
        method: 'GET',
        path: `${this.#base}/dir`,
        query: { path: checkPath(path) },
        signal: options.signal,
      },
      directoryListingSchema,
    );
    return listing.entries.map(fileInfo);
  }

  /** What is at a path. */
  async stat(path: string, options: StatOptions = {}): Promise<FileInfo> {
    const entry = await this.#transport.json(
      {
        method: 'GET',
        path: `${this.#base}/stat`,
        query: {
          path: checkPath(path),
          follow_symlinks: options.followSymlinks === false ? false : undefined,
        },
        signal: options.signal,
      },
      fileEntrySchema,
    );
    return fileInfo(entry);
  }

  /** True when something is at the path; a symlink to nothing counts as nothing. */
  async exists(path: string, options: StatOptions = {}): Promise<boolean> {
    try {
      await this.stat(path, options);
      return true;
    } catch (error) {
      if (error instanceof SandportError && nothingThere.has(error.code)) return false;
      throw error;
    }
  }

  /** Removes a file, a symlink (never its target) or a directory. */
  async remove(path: string, options: RemoveOptions = {}): Promise<void> {
    await this.#transport.drain({
      method: 'DELETE',
      path: this.#base,
      query: {
        path: checkPath(path),
        recursive: options.recursive ?? false,
        must_exist: options.mustExist ?? true,
      },
      signal: options.signal,
    });
  }

  /** Makes a directory and its parents; no error when it is there. */
  async makeDirectory(path: string, options: SignalOptions = {}): Promise<void> {
    await this.#transport.drain({
      method: 'POST',
      path: `${this.#base}/mkdir`,
      query: { path: checkPath(path) },
      signal: options.signal,
    });
  }

  /** Goes through a directory tree, parents before children; symlinks are not followed. */
  walk(path = '/', options: SignalOptions = {}): AsyncGenerator<WalkStep, void, undefined> {
    return walk((directory) => this.list(directory, options), path);
  }

  #target(path: string): FileTarget {
    return { fsPath: this.#base, path: checkPath(path) };
  }
}

/** A path below a file does not exist either. */
const nothingThere = new Set(['file_not_found', 'not_a_directory']);

const checkPath = (path: string) => checked(() => parseGuestPath(path));
