import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { OpenFile } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import { parseRange } from '../../http/byte-range.ts';
import { formatDigest, newSha256, wantsDigest } from '../../http/digest.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Route } from '../../http/router.ts';
import type { FilePlace } from './file-place.ts';
import { pathOf } from './path.ts';

/** The bytes of a file, streamed: whole, a range, or only its headers. */
export const readFileRoutes = (place: FilePlace): Route[] =>
  (['GET', 'HEAD'] as const).map((method) => ({
    method,
    path: place.prefix,
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const file = await (await place.toRead(exchange)).open(path);
      try {
        await answerWithFile(exchange, file, path);
      } finally {
        await file.close();
      }
    },
  }));

/**
 * Answers with an open file: whole, a range, or its headers, as the request asks.
 * @param path as the client knows it, for messages
 */
export async function answerWithFile(
  exchange: Exchange,
  file: OpenFile,
  path: string,
): Promise<void> {
  const { request, response } = exchange;
  const { size, modified_at: modifiedAt } = file.entry;
  response.setHeader('ETag', file.etag);
  response.setHeader('Last-Modified', new Date(modifiedAt).toUTCString());
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('X-File-Size', size);
  if (request.headers['if-match'] !== undefined && !matches(request.headers['if-match'], file.etag))
    throw new SandportFault('precondition_failed', `${path} is not the file that If-Match names.`, {
      path,
    });
  if (matches(request.headers['if-none-match'], file.etag)) {
    exchange.empty(304);
    return;
  }
  const ifRange = request.headers['if-range'];
  const range =
    ifRange === undefined || ifRange === file.etag
      ? parseRange(request.headers.range, size, path)
      : undefined;
  const length = range === undefined ? size : range.end - range.start;
  const status = range === undefined ? 200 : 206;
  if (range !== undefined)
    response.setHeader('Content-Range', `bytes ${range.start}-${range.end - 1}/${size}`);
  response.setHeader('Content-Type', 'application/octet-stream');
  const digest = range === undefined && wantsDigest(request.headers['want-repr-digest']);
  if (request.method === 'HEAD') {
    if (digest) response.setHeader('Repr-Digest', await digestOf(file));
    response.writeHead(status, { 'Content-Length': length }).end();
  } else if (digest && size <= smallFileBytes) {
    await sendSmallWithDigest(exchange, file);
  } else if (digest && takesTrailers(request.headers.te)) {
    await sendWithDigest(exchange, file);
  } else {
    response.writeHead(status, { 'Content-Length': length });
    await pipeline(file.stream(range), response);
  }
}

/** True when one of the validators in the field is this one, or `*`. */
const matches = (field: string | undefined, etag: string): boolean =>
  field !== undefined &&
  field.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);

async function digestOf(file: OpenFile): Promise<string> {
  const hash = newSha256();
  for await (const chunk of file.stream()) hash.update(chunk);
  return formatDigest(hash.digest());
}

/** Up to here the digest goes before the bytes: they are all there before the first is sent. */
const smallFileBytes = 1024 * 1024;

/** RFC 9110: a client that keeps trailers says so in `TE`. Others would be sent them for nothing. */
const takesTrailers = (field: string | string[] | undefined): boolean =>
  /(?:^|,)\s*trailers\s*(?:,|$)/i.test(String(field ?? ''));

async function sendSmallWithDigest(exchange: Exchange, file: OpenFile): Promise<void> {
  const bytes = await buffer(file.stream());
  exchange.response.writeHead(200, {
    'Content-Length': bytes.length,
    'Repr-Digest': formatDigest(newSha256().update(bytes).digest()),
  });
  exchange.response.end(bytes);
}

/** Sends the bytes in chunks and their digest as the trailer. `X-File-Size` tells the length. */
async function sendWithDigest(exchange: Exchange, file: OpenFile): Promise<void> {
  const { response } = exchange;
  const hash = newSha256();
  const bytes = file.stream().on('data', (chunk) => hash.update(chunk));
  response.writeHead(200, { Trailer: 'Repr-Digest' });
  await pipeline(bytes, response, { end: false });
  response.addTrailers({ 'Repr-Digest': formatDigest(hash.digest()) });
  response.end();
}
