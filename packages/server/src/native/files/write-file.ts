import type { IncomingMessage } from 'node:http';
import type { FileWriter } from '@sandport/driver';
import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import { formatDigest, newSha256, parseDigest, wantsDigest } from '../../http/digest.ts';
import type { Exchange } from '../../http/exchange.ts';
import { receiveBody } from '../../http/receive-body.ts';
import type { Route } from '../../http/router.ts';
import { filesToWrite, pathOf } from './path.ts';

/**
 * Writes a file from the body, streamed and atomic: the file appears whole, or not at all. With a
 * `Repr-Digest` header or trailer the bytes are checked before the file appears.
 */
export const writeFileRoutes = (engine: Engine, options: { idleTimeoutMs: number }): Route[] => [
  {
    method: 'PUT',
    path: '/v1/sandboxes/:id/fs',
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const mode = modeOf(exchange);
      const { headers } = exchange.request;
      const announced = parseDigest(headers['repr-digest']);
      const inTrailer = /\brepr-digest\b/i.test(headers.trailer ?? '');
      const hashing =
        announced !== undefined || inTrailer || wantsDigest(headers['want-repr-digest']);
      const files = await filesToWrite(exchange, engine);
      const writer = await files.write(path, mode === undefined ? {} : { mode });
      try {
        const sha256 = await receive(exchange, writer, path, { hashing, ...options });
        const expected = announced ?? parseDigest(exchange.request.trailers['repr-digest']);
        if (sha256 !== undefined && expected !== undefined) verify(sha256, expected, path);
        const written = await writer.commit();
        exchange.json(
          200,
          { path, ...written },
          {
            ETag: written.etag,
            ...(sha256 === undefined ? {} : { 'Repr-Digest': formatDigest(sha256) }),
          },
        );
      } finally {
        await writer.abort();
      }
    },
  },
];

/** Permission bits of a new file, in octal. */
function modeOf(exchange: Exchange): number | undefined {
  const text = exchange.query.get('mode');
  if (text === undefined) return undefined;
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw new SandportFault('invalid_request', '`mode` must be octal permission bits, as 0644.', {
    field: 'mode',
  });
}

/** Streams the body into the writer; its SHA-256 when asked for. */
async function receive(
  exchange: Exchange,
  writer: FileWriter,
  path: string,
  options: { hashing: boolean; idleTimeoutMs: number },
): Promise<Buffer | undefined> {
  const { request } = exchange;
  const { idleTimeoutMs } = options;
  const hash = options.hashing ? newSha256() : undefined;
  request.on('data', (chunk: Buffer) => {
    exchange.bytesIn += chunk.length;
    hash?.update(chunk);
  });
  const onIdle = () =>
    new SandportFault('request_timeout', `Nothing of ${path} came for ${idleTimeoutMs} ms.`);
  try {
    exchange.takeBody();
    await receiveBody(request, writer.stream, { idleTimeoutMs, onIdle });
  } catch (error) {
    if (error instanceof SandportFault) throw error;
    throw cutShort(request, path, exchange.bytesIn, error);
  }
  return hash?.digest();
}

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
