import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import type { DocumentAnswer } from '../../discovery/discovery.ts';
import { KubeError } from '../../objects/kube-error.ts';
import type { Answer } from '../requests/exchange.ts';
import { setWarnings } from './warnings.ts';

/** From this size on answers are packed for clients that ask for it. */
const minPackedLength = 128 << 10;
/** How long a client that is refused may go on sending. */
const maxRestMs = 2_000;

const takesGzip = (request: IncomingMessage): boolean =>
  /(?:^|[\s,])gzip(?:$|[\s,;])/i.test(request.headers['accept-encoding']?.toString() ?? '');

export function sendAnswer(
  response: ServerResponse,
  { status, body, warnings = [] }: Answer,
): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  setWarnings(response, warnings);
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { ...jsonHeaders, 'Content-Length': bytes.length });
  response.end(bytes);
}

const jsonHeaders = { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' };

/** Sends pieces of JSON as they are made, other requests taking their turns in between. */
export async function sendPieces(
  request: IncomingMessage,
  response: ServerResponse,
  pieces: Iterable<string>,
  warnings: readonly string[],
): Promise<void> {
  setWarnings(response, warnings);
  const iterator = pieces[Symbol.iterator]();
  let whole = '';
  let next = iterator.next();
  while (next.done !== true && whole.length < minPackedLength) {
    whole += next.value;
    next = iterator.next();
  }
  if (next.done === true && whole.length < minPackedLength) {
    const bytes = Buffer.from(whole);
    response.writeHead(200, { ...jsonHeaders, 'Content-Length': bytes.length });
    response.end(bytes);
    return;
  }
  const source = Readable.from(remaining(whole, next, iterator), { objectMode: false });
  if (!takesGzip(request)) {
    response.writeHead(200, jsonHeaders);
    await pipeline(source, response);
    return;
  }
  response.writeHead(200, { ...jsonHeaders, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
  await pipeline(source, createGzip({ level: constants.Z_BEST_SPEED }), response);
}

async function* remaining(
  first: string,
  second: IteratorResult<string>,
  iterator: Iterator<string>,
): AsyncGenerator<Buffer> {
  yield Buffer.from(first);
  for (let next = second; next.done !== true; next = iterator.next()) {
    yield Buffer.from(next.value);
    await nextTurn();
  }
}

/** A document that is the same for everybody. */
export async function sendDocument(
  request: IncomingMessage,
  response: ServerResponse,
  { contentType, body, etag }: DocumentAnswer,
): Promise<void> {
  response.setHeader('Vary', 'Accept');
  if (etag !== undefined) response.setHeader('ETag', etag);
  if (etag !== undefined && request.headers['if-none-match']?.includes(etag) === true) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('Content-Type', contentType);
  if (body.length < minPackedLength || !takesGzip(request)) {
    const bytes = Buffer.from(body);
    response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes);
    return;
  }
  response.writeHead(200, { 'Content-Encoding': 'gzip' });
  await pipeline(Readable.from([Buffer.from(body)]), createGzip(), response);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Answers with the `Status` of an error. */
export async function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: KubeError,
): Promise<void> {
  if (response.headersSent || response.destroyed) return void response.destroy();
  if (!request.complete) {
    response.setHeader('Connection', 'close');
    await restOf(request);
  }
  const { retryAfterSeconds } = error.details ?? {};
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', retryAfterSeconds);
  sendAnswer(response, { status: error.code, body: error.toStatus() });
}

/** Drops what is left of a body: many clients read an answer only after they have sent theirs. */
async function restOf(request: IncomingMessage): Promise<void> {
  request.resume();
  await finished(request, { signal: AbortSignal.timeout(maxRestMs) }).catch(() => undefined);
}
