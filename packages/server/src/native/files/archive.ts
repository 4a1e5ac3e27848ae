import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { compileGlobs } from '@sandport/engine';
import { archiveFormatSchema, SandportFault } from '@sandport/protocol';
import { contentTypes, packerFor } from '../../archive/compression.ts';
import { packTree } from '../../archive/pack-tree.ts';
import { receiveArchive } from '../../archive/receive-archive.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Route } from '../../http/router.ts';
import type { FilePlace } from './file-place.ts';
import { pathOf } from './path.ts';

/** Whole directories in one request, as tar streams. */
export const archiveRoutes = (place: FilePlace, options: { idleTimeoutMs: number }): Route[] => [
  {
    method: 'GET',
    path: `${place.prefix}/archive`,
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const format = formatOf(exchange);
      const globs = exchange.query.all('exclude');
      const exclude = globs.length === 0 ? {} : { exclude: compileGlobs(globs) };
      const files = await place.toRead(exchange);
      const chunks = packTree(files, path, { ...exclude, signal: exchange.signal });
      // Errors of the path are answered as such; later ones can only break the connection.
      const first = await chunks.next();
      const packer = await packerFor(format);
      const { response } = exchange;
      response.writeHead(200, { 'Content-Type': contentTypes[format] });
      const bytes = Readable.from(startingWith(first, chunks), { objectMode: false });
      await pipeline(packer === undefined ? [bytes, response] : [bytes, packer, response]);
    },
  },
  {
    method: 'PUT',
    path: `${place.prefix}/archive`,
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const { query } = exchange;
      const most = Number.MAX_SAFE_INTEGER;
      const maxBytes = query.integer('max_bytes', { min: 0, max: most });
      const maxEntries = query.integer('max_entries', { min: 0, max: most });
      const keepOwner = query.flag('keep_owner', false);
      const files = await place.toWrite(exchange);
      const writer = await files.writeTree(path, keepOwner ? { owner: 'from entries' } : {});
      try {
        const limits = { maxBytes, maxEntries };
        const counts = await receiveArchive(exchange, writer, { path, ...limits, ...options });
        exchange.json(200, { path, ...counts });
      } finally {
        await writer[Symbol.asyncDispose]();
      }
    },
  },
];

function formatOf(exchange: Exchange) {
  const format = archiveFormatSchema.safeParse(exchange.query.get('format') ?? 'tar');
  if (format.success) return format.data;
  const known = archiveFormatSchema.options.join(', ');
  throw new SandportFault('invalid_request', `\`format\` must be one of ${known}.`, {
    field: 'format',
  });
}

async function* startingWith(
  first: IteratorResult<Buffer>,
  rest: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  try {
    if (first.done !== true) yield first.value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
