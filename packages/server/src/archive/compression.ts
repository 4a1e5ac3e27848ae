import { once } from 'node:events';
import { type Duplex, type Readable, pipeline } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { type ArchiveFormat, SandportFault } from '@sandport/protocol';
import { ZstdStream, hasZstd } from './zstd-stream.ts';

const bufferBytes = 128 * 1024;
/** Nearly as small as the usual level 6, in less than half of the time. */
const gzipLevel = 4;

export const contentTypes: Readonly<Record<ArchiveFormat, string>> = {
  tar: 'application/x-tar',
  'tar.gz': 'application/gzip',
  'tar.zst': 'application/zstd',
};

/** What packs a tar stream; undefined: nothing does. @throws SandportFault `format_unavailable` */
export async function packerFor(format: ArchiveFormat): Promise<Duplex | undefined> {
  if (format === 'tar') return undefined;
  if (format === 'tar.gz') return createGzip({ level: gzipLevel, chunkSize: bufferBytes });
  await requireZstd();
  return new ZstdStream('pack');
}

/**
 * The tar stream in `input`, which may be packed: its first bytes say how.
 * @throws SandportFault `format_unavailable`; what is damaged is an error of the stream
 */
export async function unpacked(input: Readable): Promise<Readable> {
  const magic = (await peek(input, 4)).toString('hex');
  if (magic.startsWith('1f8b')) return through(input, createGunzip({ chunkSize: bufferBytes }));
  if (magic !== '28b52ffd') return input;
  await requireZstd();
  return through(input, new ZstdStream('unpack'));
}

/** Errors of `input` become those of `unpacker`, and the other way round. */
const through = (input: Readable, unpacker: Duplex): Readable =>
  pipeline(input, unpacker, () => {});

async function requireZstd(): Promise<void> {
  if (await hasZstd()) return;
  throw new SandportFault(
    'format_unavailable',
    'The daemon needs the program `zstd` for this format, and it is not installed.',
    { format: 'tar.zst' },
  );
}

/** The first bytes of a stream, which stay in it; fewer when it is shorter. */
async function peek(stream: Readable, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // All that is there is taken out: with a rest in it, the stream would be readable for ever.
  for (;;) {
    const chunk: unknown = stream.read();
    if (Buffer.isBuffer(chunk)) {
      chunks.push(chunk);
      bytes += chunk.length;
    }
    if (stream.errored) throw stream.errored;
    if (bytes >= length || stream.readableEnded || stream.destroyed) break;
    if (chunk === null) await somethingHappens(stream);
  }
  const start = Buffer.concat(chunks);
  if (start.length > 0 && !stream.readableEnded && !stream.destroyed) stream.unshift(start);
  return start.subarray(0, length);
}

async function somethingHappens(stream: Readable): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const events = ['readable', 'end', 'close'].map((event) => once(stream, event, { signal }));
  try {
    await Promise.race(events);
  } finally {
    waiting.abort();
    await Promise.allSettled(events);
  }
}
