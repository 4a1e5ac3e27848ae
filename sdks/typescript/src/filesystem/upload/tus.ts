import { Buffer } from 'node:buffer';
import { NotFoundError } from '../../errors/api-errors.ts';
import { NetworkError } from '../../errors/client-errors.ts';
import { header } from '../../http/answer-body.ts';
import type { FilesApi } from '../files-api.ts';

/** How long the end of an upload that is given up may take. */
const deleteTimeoutMs = 5_000;
const version = { 'tus-resumable': '1.0.0' };

interface NewUpload {
  readonly sizeBytes: number;
  /** Values that are undefined are left out. */
  readonly metadata: Readonly<Record<string, string | undefined>>;
}

/** One upload of the tus protocol, version 1.0. */
export class TusUpload {
  readonly #api: FilesApi;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;

  private constructor(api: FilesApi, path: string, signal: AbortSignal | undefined) {
    this.#api = api;
    this.#path = path;
    this.#signal = signal;
  }

  static async create(
    { api, uploadsPath: uploads }: { readonly api: FilesApi; readonly uploadsPath: string },
    { sizeBytes, metadata }: NewUpload,
    signal: AbortSignal | undefined,
  ): Promise<TusUpload> {
    const message = await api.transport.drain({
      method: 'POST',
      path: uploads,
      headers: {
        ...version,
        'upload-length': String(sizeBytes),
        'upload-metadata': metadataField(metadata),
      },
      signal,
    });
    // Only the id is taken from the answer: the key goes to no other address.
    const id = /([^/?#]+)\/?(?:[?#].*)?$/.exec(header(message, 'location') ?? '')?.[1];
    if (id === undefined) throw new NetworkError('The daemon did not name the new upload.');
    return new TusUpload(api, `${uploads}/${id}`, signal);
  }

  /** Bytes that have come; undefined when the daemon no longer has the upload. */
  async offset(): Promise<number | undefined> {
    try {
      const message = await this.#api.transport.drain({
        method: 'HEAD',
        path: this.#path,
        headers: version,
        signal: this.#signal,
      });
      return offsetOf(header(message, 'upload-offset'));
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  /** Sends the bytes that follow, with their SHA-256 in base64. @returns the offset behind them */
  async append(
    offset: number,
    bytes: Uint8Array,
    sha256: string,
    onSent: (bytes: number) => void,
  ): Promise<number> {
    const message = await this.#api.transport.drain({
      method: 'PATCH',
      path: this.#path,
      headers: {
        ...version,
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(offset),
        'upload-checksum': `sha256 ${sha256}`,
      },
      body: { kind: 'bytes', bytes, onSent },
      signal: this.#signal,
    });
    return offsetOf(header(message, 'upload-offset'));
  }

  /** Gives the upload up. What cannot be removed now expires by itself. */
  async delete(): Promise<void> {
    const spec = {
      method: 'DELETE',
      path: this.#path,
      headers: version,
      signal: AbortSignal.timeout(deleteTimeoutMs),
    } as const;
    await this.#api.transport.drain(spec).catch(() => {});
  }
}

function offsetOf(field: string | undefined): number {
  const offset = Number(field ?? Number.NaN);
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new NetworkError('The daemon did not tell how much of the upload has come.');
}

const metadataField = (metadata: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(metadata)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${Buffer.from(value ?? '').toString('base64')}`)
    .join(',');
