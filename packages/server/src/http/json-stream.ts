import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Exchange } from './exchange.ts';

/** What goes out at a time, in UTF-16 units. */
const chunkLength = 64 * 1024;
/** Shorter answers are sent whole, with their length. */
const wholeLength = 256 * 1024;

/**
 * Answers with JSON that is made piece by piece, so that a long answer takes neither memory nor the
 * event loop. An error of `pieces` is answered as such while nothing was sent, and breaks the
 * connection later. A client that goes away meanwhile is no error.
 */
export async function sendJsonPieces(
  exchange: Exchange,
  pieces: AsyncGenerator<string>,
): Promise<void> {
  const start: string[] = [];
  let length = 0;
  let step = await pieces.next();
  for (; step.done !== true && length < wholeLength; step = await pieces.next()) {
    start.push(step.value);
    length += step.value.length;
  }
  const text = start.join('');
  const { response } = exchange;
  if (step.done === true) {
    const bytes = Buffer.from(text);
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': bytes.length,
    });
    response.end(bytes);
    return;
  }
  response.writeHead(200, { 'Content-Type': 'application/json' });
  const chunks = inChunks(text + step.value, pieces);
  try {
    await pipeline(Readable.from(chunks, { objectMode: false }), response);
  } catch (error) {
    if (!hasGone(error)) throw error;
  }
}

/** The client did not wait for the end of its answer. */
const hasGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';

async function* inChunks(start: string, pieces: AsyncGenerator<string>): AsyncGenerator<Buffer> {
  let text = start;
  for await (const piece of pieces) {
    if (text.length >= chunkLength) {
      yield Buffer.from(text);
      text = '';
    }
    text += piece;
  }
  yield Buffer.from(text);
}
