import { constants } from 'node:buffer';
import { Readable } from 'node:stream';
import { TooLargeError } from '../errors/api-errors.ts';
import type { Transport } from '../http/transport.ts';
import { type DownloadResult, downloadFile } from './download/download-file.ts';
import { FilesApi, type FilesOwner, guestPath } from './files-api.ts';
import type { SignalOptions } from './progress.ts';
import {
  type FileTarget,
  openFile,
  readFile,
  readIfChanged,
  type ReadVersion,
} from './read/read-file.ts';
import type { DownloadOptions, ReadOptions } from './read/read-options.ts';
import { uploadFile } from './upload/upload-file.ts';
import { contentSource, type FileContent } from './write/content.ts';
import { writeFile } from './write/write-file.ts';
import type { UploadOptions, WriteInPlaceOptions, WriteResult } from './write/write-options.ts';

/** The bytes of single files: read, written, copied to and from this machine. */
export class FileContents {
  /** Sends the requests; for code that builds on this package. */
  protected readonly api: FilesApi;

  constructor(transport: Transport, owner: FilesOwner) {
    this.api = new FilesApi(transport, owner);
  }

  /**
   * Reads a file as text. Bytes that are not UTF-8 come as U+FFFD; a byte order mark is kept. Use
   * `readBytes` for anything that is not text.
   */
  async read(path: string, options: ReadOptions = {}): Promise<string> {
    const bytes = await this.readBytes(path, options);
    if (bytes.byteLength > constants.MAX_STRING_LENGTH) {
      throw new TooLargeError(`${path} is too large for a string; use readStream or download.`, {
        code: 'payload_too_large',
        details: { path, limit_bytes: constants.MAX_STRING_LENGTH },
      });
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  }

  /**
   * Reads a whole file, or with `range` a part of it, into memory. The SHA-256 is checked of whole
   * files only.
   * @throws BadRequestError `range_not_satisfiable` when the range begins behind the end
   */
  async readBytes(path: string, options: ReadOptions = {}): Promise<Uint8Array> {
    return readFile(this.api.transport, this.#target(path), options);
  }

  /**
   * Reads a file piece by piece. The stream ends with an error when the connection breaks or the
   * digest does not fit; destroy it when it is not read to its end.
   */
  async readStream(path: string, options: ReadOptions = {}): Promise<Readable> {
    return (await openFile(this.api.transport, this.#target(path), options)).body;
  }

  /**
   * Reads a file into memory unless it still is the one with this `etag`.
   * @returns the bytes and their `etag`; undefined when nothing changed
   */
  readIfChanged(
    path: string,
    etag: string,
    options: SignalOptions = {},
  ): Promise<ReadVersion | undefined> {
    return readIfChanged(this.api.transport, this.#target(path), etag, options);
  }

  /**
   * Writes a file, at once or not at all; missing parent directories are made. Of concurrent
   * writers the last one wins, unless `ifMatch` says otherwise. An array must not be changed until
   * the promise resolves; a stream is destroyed at the end. With `append` or `offset` the bytes are
   * put into the file that is there.
   * @returns the path, the bytes written, the size and the `etag` that the file has now
   */
  async write(
    path: string,
    content: FileContent,
    options: WriteInPlaceOptions = {},
  ): Promise<WriteResult> {
    const target = this.#target(path);
    try {
      return await writeFile(this.api.transport, target, contentSource(content), options);
    } finally {
      // A stream that was not read to its end would keep what it holds open.
      if (content instanceof Readable) content.destroy();
    }
  }

  /**
   * Copies a local file into the sandbox, whatever its size, without holding it in memory. One of
   * more than 64 MiB goes up in parts (not into a volume) and goes on by itself after a broken connection or a restart
   * of the daemon, until it has not got further for a minute.
   * @throws LocalFileError when the local file cannot be read or changes meanwhile
   */
  upload(localPath: string, remotePath: string, options: UploadOptions = {}): Promise<WriteResult> {
    return uploadFile(this.api, localPath, remotePath, options);
  }

  /**
   * Copies a file of the sandbox to this machine, without holding it in memory. The parents of
   * `localPath` are made; it is replaced once all bytes have come and been checked. After a broken
   * connection it goes on by itself, until it has not got further for a minute.
   * @throws LocalFileError when the local file cannot be written; ConflictError `file_changed` when
   * the file of the sandbox changed meanwhile
   */
  download(
    remotePath: string,
    localPath: string,
    options: DownloadOptions = {},
  ): Promise<DownloadResult> {
    return downloadFile(this.api, remotePath, localPath, options);
  }

  #target(path: string): FileTarget {
    return { fsPath: this.api.fsPath, path: guestPath(path) };
  }
}
