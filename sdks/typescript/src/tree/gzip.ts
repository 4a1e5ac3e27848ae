import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip, type Gunzip, type Gzip } from 'node:zlib';
import { errnoOf, InvalidArchiveError } from '../errors/client-errors.ts';

/** Packs with the fastest setting: on networks where packing pays, the rest pays little more. */
export const gzipped = (source: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> =>
  through(source, createGzip({ level: constants.Z_BEST_SPEED }));

/** @throws InvalidArchiveError for what is not gzip */
export async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  try {
    yield* through(source, createGunzip());
  } catch (cause) {
    if (errnoOf(cause)?.startsWith('Z_') !== true) throw cause;
    throw new InvalidArchiveError('its gzip stream is damaged', cause);
  }
}

/** What comes out of a packer; it is ended when the reader leaves early. */
async function* through(
  source: AsyncIterable<Uint8Array>,
  packer: Gzip | Gunzip,
): AsyncGenerator<Buffer> {
  const input = Readable.from(source, { objectMode: false, highWaterMark: 1024 * 1024 });
  const sent = pipeline(input, packer);
  // A failure is met where the packer is read.
  sent.catch(() => {});
  try {
    yield* packer as AsyncIterable<Buffer>;
    await sent;
  } finally {
    packer.destroy();
    input.destroy();
  }
}
