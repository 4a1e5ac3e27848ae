import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { NetworkError } from '../errors/client-errors.ts';
import { header } from '../http/answer-body.ts';
import type { RequestSpec } from '../http/request.ts';
import type { Transport } from '../http/transport.ts';
import { checkDigest, Digest } from './digest.ts';

/** A file under way: its bytes, checked as they pass, and what the head of the answer says. */
export interface OpenedFile {
  /** Ends with an error when the connection breaks or the digest does not fit. */
  readonly body: Transform;
  /** Absent when the answer does not say. */
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
  // An answer with a trailer comes in chunks; the daemon names the size beside it.
  const length = header(message, 'content-length') ?? header(message, 'x-file-size');
  const sizeBytes = length === undefined ? undefined : Number(length);
  const body = new CheckedBody(message, target.path, sizeBytes);
  message.once('error', (error) => {
    const broken = transport.brokenBody(error, spec);
    body.destroy(broken instanceof Error ? broken : error);
  });
  // A failure before the caller reads is met when it does.
  body.on('error', () => {});
  body.once('close', () => message.destroy());
  message.pipe(body);
  return { body, sizeBytes };
}

class CheckedBody extends Transform {
  readonly #digest = new Digest();
  readonly #message: IncomingMessage;
  readonly #path: string;
  readonly #sizeBytes: number | undefined;

  constructor(message: IncomingMessage, path: string, sizeBytes: number | undefined) {
    super({ readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 256 * 1024 });
    this.#message = message;
    this.#path = path;
    this.#sizeBytes = sizeBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
    this.#digest.update(chunk);
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback) {
    const { trailers } = this.#message;
    const field = header(this.#message, 'repr-digest') ?? trailers['repr-digest'];
    try {
      checkLength(this.#digest.bytes, this.#sizeBytes, this.#path);
      checkDigest(field, this.#digest, this.#path);
      callback();
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

function checkLength(bytes: number, expected: number | undefined, path: string): void {
  if (expected === undefined || bytes === expected) return;
  throw new NetworkError(`Of ${path} came ${bytes} of ${expected} bytes.`);
}
