import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { header } from '../http/answer-body.ts';
import type { RequestSpec } from '../http/request.ts';
import type { Transport } from '../http/transport.ts';
import { checkDigest, Digest } from './digest.ts';

/** A file under way: its bytes, checked as they pass, and what the head of the answer says. */
export interface OpenedFile {
  /** Ends with an error when the connection breaks or the digest does not fit. */
  readonly body: Transform;
  /** Absent when the answer comes in chunks. */
  readonly sizeBytes: number | undefined;
}

/** Asks for a file of a sandbox and begins to read it. */
export async function openFile(
  transport: Transport,
  target: { fsPath: string; path: string },
  options: { signal?: AbortSignal | undefined } = {},
): Promise<OpenedFile> {
  const spec: RequestSpec = {
    method: 'GET',
    path: target.fsPath,
    query: { path: target.path },
    headers: { 'want-repr-digest': 'sha-256=1', te: 'trailers' },
    signal: options.signal,
  };
  const message = await transport.send(spec);
  const length = header(message, 'content-length');
  const body = new CheckedBody(message, target.path);
  message.once('error', (error) => {
    const broken = transport.brokenBody(error, spec);
    body.destroy(broken instanceof Error ? broken : error);
  });
  body.once('close', () => message.destroy());
  message.pipe(body);
  return { body, sizeBytes: length === undefined ? undefined : Number(length) };
}

class CheckedBody extends Transform {
  readonly #digest = new Digest();
  readonly #message: IncomingMessage;
  readonly #path: string;

  constructor(message: IncomingMessage, path: string) {
    super({ readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 256 * 1024 });
    this.#message = message;
    this.#path = path;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
    this.#digest.update(chunk);
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback) {
    const { trailers } = this.#message;
    const field = header(this.#message, 'repr-digest') ?? trailers['repr-digest'];
    try {
      checkDigest(field, this.#digest, this.#path);
      callback();
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
