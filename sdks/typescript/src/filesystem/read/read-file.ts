import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { NetworkError } from '../../errors/client-errors.ts';
import { header } from '../../http/answer-body.ts';
import type { RequestSpec } from '../../http/request.ts';
import type { Transport } from '../../http/transport.ts';
import type { SignalOptions } from '../progress.ts';
import { checkDigest, Digest } from '../digest.ts';
import { rangeField } from './range.ts';
import type { ReadOptions } from './read-options.ts';

/** A file of a sandbox, as the transport names it. */
export interface FileTarget {
  /** Path of the API. */
  readonly fsPath: string;
  /** Path in the sandbox. */
  readonly path: string;
}

/** A file under way: its bytes, checked as they pass, and what the head of the answer says. */
export interface OpenedFile {
  /** Ends with an error when the connection breaks or the digest does not fit. */
  readonly body: Transform;
  /** Absent when the answer does not say. */
  readonly sizeBytes: number | undefined;
  readonly etag: string | undefined;
}

/** Asks for a file of a sandbox and begins to read it. */
export async function openFile(
  transport: Transport,
  target: FileTarget,
  options: ReadOptions = {},
): Promise<OpenedFile> {
  const spec = readSpec(target, options);
  const message = await transport.send(spec);
  const check = new BodyCheck(message, target.path);
  const body = new CheckedBody(check);
  message.once('error', (error) => {
    const broken = transport.brokenBody(error, spec);
    body.destroy(broken instanceof Error ? broken : error);
  });
  // A failure before the caller reads is met when it does.
  body.on('error', () => {});
  body.once('close', () => message.destroy());
  message.pipe(body);
  return { body, sizeBytes: check.sizeBytes, etag: header(message, 'etag') };
}

/** Reads a file of a sandbox, or a part of it, into memory. */
export async function readFile(
  transport: Transport,
  target: FileTarget,
  options: ReadOptions = {},
): Promise<Buffer> {
  const spec = readSpec(target, options);
  return readBody(transport, await transport.send(spec), spec, target.path);
}

/** A file that was read, and the validator of what was read. */
export interface ReadVersion {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** Reads a file unless it is the one with this validator; then undefined. */
export async function readIfChanged(
  transport: Transport,
  target: FileTarget,
  etag: string,
  options: SignalOptions,
): Promise<ReadVersion | undefined> {
  const asked = readSpec(target, options);
  const headers = { ...asked.headers, 'if-none-match': etag };
  const spec: RequestSpec = { ...asked, headers, accepts: 304 };
  const message = await transport.send(spec);
  if (message.statusCode === 304) {
    message.resume();
    return undefined;
  }
  const bytes = await readBody(transport, message, spec, target.path);
  return { bytes, etag: header(message, 'etag') ?? '' };
}

function readBody(
  transport: Transport,
  message: IncomingMessage,
  spec: RequestSpec,
  path: string,
): Promise<Buffer> {
  const check = new BodyCheck(message, path);
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    message.on('data', (chunk: Buffer) => {
      check.update(chunk);
      chunks.push(chunk);
    });
    message.once('error', (error) => reject(transport.brokenBody(error, spec)));
    message.once('end', () => {
      try {
        check.finish();
        resolve(Buffer.concat(chunks));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function readSpec(target: FileTarget, { signal, range, ifMatch }: ReadOptions): RequestSpec {
  return {
    method: 'GET',
    path: target.fsPath,
    query: { path: target.path },
    headers: {
      'want-repr-digest': 'sha-256=1',
      te: 'trailers',
      ...(range !== undefined && { range: rangeField(range) }),
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
    },
    signal,
  };
}

/** Compares what came with the length and the digest that the answer names. */
class BodyCheck {
  readonly sizeBytes: number | undefined;
  readonly #message: IncomingMessage;
  readonly #path: string;
  readonly #digest = new Digest();

  constructor(message: IncomingMessage, path: string) {
    this.#message = message;
    this.#path = path;
    // An answer with a trailer comes in chunks; the daemon names the size beside it.
    const length = header(message, 'content-length') ?? header(message, 'x-file-size');
    this.sizeBytes = length === undefined ? undefined : Number(length);
  }

  update(chunk: Buffer): void {
    this.#digest.update(chunk);
  }

  /** To be called once the trailers are there. */
  finish(): void {
    const { bytes } = this.#digest;
    if (this.sizeBytes !== undefined && bytes !== this.sizeBytes) {
      throw new NetworkError(`Of ${this.#path} came ${bytes} of ${this.sizeBytes} bytes.`);
    }
    const { trailers } = this.#message;
    const field = header(this.#message, 'repr-digest') ?? trailers['repr-digest'];
    checkDigest(field, this.#digest, this.#path);
  }
}

class CheckedBody extends Transform {
  readonly #check: BodyCheck;

  constructor(check: BodyCheck) {
    super({ readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 256 * 1024 });
    this.#check = check;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
    this.#check.update(chunk);
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback) {
    try {
      this.#check.finish();
      callback();
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
