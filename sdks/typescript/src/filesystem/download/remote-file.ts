import type { IncomingMessage } from 'node:http';
import { ConflictError, PreconditionFailedError } from '../../errors/api-errors.ts';
import { SandportError } from '../../errors/sandport-error.ts';
import { header } from '../../http/answer-body.ts';
import type { RequestSpec } from '../../http/request.ts';
import type { FilesApi } from '../files-api.ts';
import { rangeField } from '../read/range.ts';

/** Bytes `[start, end)` of a file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A file of a sandbox as it was when a download began; a later version of it is an error. */
export class RemoteFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #etag: string | undefined;
  readonly #api: FilesApi;
  readonly #signal: AbortSignal | undefined;

  private constructor(api: FilesApi, path: string, version: Version, signal?: AbortSignal) {
    this.path = path;
    this.sizeBytes = version.sizeBytes;
    this.#api = api;
    this.#etag = version.etag;
    this.#signal = signal;
  }

  /** Asks for the whole file, or only for its head. */
  static async open(
    api: FilesApi,
    path: string,
    method: 'GET' | 'HEAD',
    options: { signal?: AbortSignal | undefined; verify: boolean },
  ): Promise<{ file: RemoteFile; message: IncomingMessage }> {
    const { signal, verify } = options;
    const wanted = verify && method === 'GET' ? wantDigest : {};
    const spec = { method, path: api.fsPath, query: { path }, headers: wanted, signal } as const;
    const message = await api.transport.send(spec);
    // An answer with a trailer comes in chunks; the daemon names the size beside it.
    const size = header(message, 'x-file-size') ?? header(message, 'content-length');
    const version = { sizeBytes: Number(size ?? Number.NaN), etag: header(message, 'etag') };
    return { file: new RemoteFile(api, path, version, signal), message };
  }

  /** The same file, for requests that end with another signal. */
  withSignal(signal: AbortSignal): RemoteFile {
    const version = { sizeBytes: this.sizeBytes, etag: this.#etag };
    return new RemoteFile(this.#api, this.path, version, signal);
  }

  /** False when the daemon does not say enough to fetch it in parts. */
  get hasParts(): boolean {
    return this.#etag !== undefined && Number.isSafeInteger(this.sizeBytes);
  }

  /** Asks for a part. @throws ConflictError `file_changed` */
  span({ start, end }: Span): Promise<IncomingMessage> {
    return this.#send('GET', { range: rangeField({ start, end }) });
  }

  /** The `Repr-Digest` field of the whole file. @throws ConflictError `file_changed` */
  async digest(): Promise<string | undefined> {
    const message = await this.#send('HEAD', wantDigest);
    message.resume();
    return header(message, 'repr-digest');
  }

  /** The error that stands for a body that broke off. */
  broken(error: Error): unknown {
    const { transport, fsPath } = this.#api;
    return transport.brokenBody(error, { method: 'GET', path: fsPath, signal: this.#signal });
  }

  async #send(method: 'GET' | 'HEAD', headers: Record<string, string>): Promise<IncomingMessage> {
    const spec: RequestSpec = {
      method,
      path: this.#api.fsPath,
      query: { path: this.path },
      headers: { ...headers, ...(this.#etag !== undefined && { 'if-match': this.#etag }) },
      // The daemon reads the whole file before it can tell its digest.
      idleTimeoutMs: method === 'HEAD' ? this.#api.transport.slowTimeoutMs : undefined,
      signal: this.#signal,
    };
    try {
      return await this.#api.transport.send(spec);
    } catch (error) {
      const isOther =
        error instanceof PreconditionFailedError ||
        (error instanceof SandportError && gone.has(error.code));
      throw isOther ? this.#changed(error) : error;
    }
  }

  #changed(cause: unknown): ConflictError {
    return new ConflictError(
      `${this.path} changed while it was downloaded; nothing was kept of it. Download it again.`,
      { code: 'file_changed', retryable: true, details: { path: this.path }, cause },
    );
  }
}

interface Version {
  /** NaN when the daemon does not say. */
  readonly sizeBytes: number;
  readonly etag: string | undefined;
}

/** What a file that was there a moment ago may answer. */
const gone = new Set(['file_not_found', 'range_not_satisfiable', 'is_directory']);
const wantDigest = { 'want-repr-digest': 'sha-256=1', te: 'trailers' };
