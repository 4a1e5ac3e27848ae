import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import type { FileWriter } from '@sandport/driver';
import { SandportFault, type WriteResult } from '@sandport/protocol';
import { formatDigest, newSha256, parseDigest, wantsDigest } from '../../http/digest.ts';
import type { Exchange } from '../../http/exchange.ts';
import { receiveBody } from '../../http/receive-body.ts';

export interface ReceiveFileOptions {
  /** Path as the client knows it, for messages and the answer. */
  readonly path: string;
  /** After so long without a byte the body is given up, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Largest body. @default no limit */
  readonly maxBytes?: number | undefined;
}

/**
 * Takes the body as the bytes of a file and answers. With a `Repr-Digest` header or trailer they are
 * checked before the file appears.
 * @param begin begins the write; its errors come before the body is taken
 * @throws SandportFault `incomplete_body`, `digest_mismatch`, `payload_too_large`,
 * `request_timeout`, `invalid_request` for a digest field, and the writer's
 */
export async function receiveFile(
  exchange: Exchange,
  begin: () => Promise<FileWriter>,
  options: ReceiveFileOptions,
): Promise<void> {
  const { path } = options;
  parseDigest(exchange.request.headers['repr-digest']);
  if (Number(exchange.request.headers['content-length'] ?? 0) > (options.maxBytes ?? Infinity))
    throw tooLarge(options);
  const writer = await begin();
  try {
    const sha256 = await receiveChecked(exchange, writer.stream, options);
    const written = await writer.commit();
    const result: WriteResult = { path, ...written };
    exchange.json(200, result, {
      ETag: written.etag,
      ...(sha256 === undefined ? {} : { 'Repr-Digest': formatDigest(sha256) }),
    });
  } finally {
    await writer.abort();
  }
}

/**
 * Streams the body into `stream` until that has finished, and checks its digest when the request
 * has one. Answers with its SHA-256 when the request brings or wants one.
 * @throws as {@link receiveFile}
 */
export async function receiveChecked(
  exchange: Exchange,
  stream: Writable,
  options: ReceiveFileOptions,
): Promise<Buffer | undefined> {
  const { headers } = exchange.request;
  const announced = parseDigest(headers['repr-digest']);
  const inTrailer = /\brepr-digest\b/i.test(headers.trailer ?? '');
  const hashing = announced !== undefined || inTrailer || wantsDigest(headers['want-repr-digest']);
  const sha256 = await receive(exchange, stream, { hashing, ...options });
  const expected = announced ?? parseDigest(exchange.request.trailers['repr-digest']);
  if (sha256 !== undefined && expected !== undefined) verify(sha256, expected, options.path);
  return sha256;
}

/** Streams the body; its SHA-256 when asked for. */
async function receive(
  exchange: Exchange,
  stream: Writable,
  options: ReceiveFileOptions & { readonly hashing: boolean },
): Promise<Buffer | undefined> {
  const { request } = exchange;
  const { idleTimeoutMs, maxBytes = Infinity, path } = options;
  const hash = options.hashing ? newSha256() : undefined;
  request.on('data', (chunk: Buffer) => {
    exchange.bytesIn += chunk.length;
    hash?.update(chunk);
    if (exchange.bytesIn > maxBytes) stream.destroy(tooLarge(options));
  });
  const onIdle = () =>
    new SandportFault('request_timeout', `Nothing of ${path} came for ${idleTimeoutMs} ms.`);
  try {
    exchange.takeBody();
    await receiveBody(request, stream, { idleTimeoutMs, onIdle });
  } catch (error) {
    if (error instanceof SandportFault) throw error;
    throw cutShort(request, path, exchange.bytesIn, error);
  }
  return hash?.digest();
}

const tooLarge = ({ path, maxBytes }: ReceiveFileOptions) =>
  new SandportFault('payload_too_large', `The body for ${path} is larger than ${maxBytes} bytes.`, {
    path,
    limit_bytes: maxBytes,
  });

function cutShort(
  request: IncomingMessage,
  path: string,
  receivedBytes: number,
  cause: unknown,
): unknown {
  if (request.complete) return cause;
  const expected = request.headers['content-length'];
  return new SandportFault(
    'incomplete_body',
    `The body for ${path} ended after ${receivedBytes} of ${expected ?? 'an unknown number of'} bytes; nothing was written.`,
    { path, expected_bytes: Number(expected ?? 0), received_bytes: receivedBytes },
    { cause },
  );
}

function verify(sha256: Buffer, expected: Buffer, path: string): void {
  if (sha256.equals(expected)) return;
  throw new SandportFault(
    'digest_mismatch',
    `The bytes for ${path} do not have the digest that was sent with them; nothing was written.`,
    { path, expected: formatDigest(expected), received: formatDigest(sha256) },
  );
}
