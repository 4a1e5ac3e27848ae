import type { Readable } from 'node:stream';

/** Bytes that are taken out of the stream while a chunk is worked on. */
const maxTakenBytes = 256 * 1024;

/**
 * What arrives, chunk by chunk as it came: the stream's own iterator would copy all that waits into
 * one. Ends where the stream ends.
 */
export async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  let taken: Buffer[] = [];
  let takenBytes = 0;
  let isOver = stream.readableEnded;
  let wake = () => {};
  const take = (chunk: Buffer) => {
    taken.push(chunk);
    takenBytes += chunk.length;
    if (takenBytes >= maxTakenBytes) stream.pause();
    wake();
  };
  const stop = () => {
    isOver = true;
    wake();
  };
  const ends = ['end', 'close', 'error'] as const;
  stream.on('data', take);
  for (const name of ends) stream.once(name, stop);
  try {
    for (;;) {
      const chunks = taken;
      taken = [];
      takenBytes = 0;
      if (stream.isPaused()) stream.resume();
      yield* chunks;
      if (taken.length > 0) continue;
      if (isOver) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stream.off('data', take);
    for (const name of ends) stream.off(name, stop);
  }
}
