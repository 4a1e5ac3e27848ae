import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';

/** What `write` takes. Text is written as UTF-8. */
export type FileContent =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | Readable
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array>;

/** Content that lies in memory, or content that comes piece by piece. */
export type ContentSource =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'stream';
      open(): AsyncIterable<Uint8Array>;
      readonly replayable: boolean;
      readonly sizeBytes?: number | undefined;
    };

/** @throws TypeError for anything that is not content */
export function contentSource(content: FileContent): ContentSource {
  if (typeof content === 'string') return { kind: 'bytes', bytes: Buffer.from(content, 'utf8') };
  if (content instanceof Uint8Array) return { kind: 'bytes', bytes: content };
  if (content instanceof ArrayBuffer) return { kind: 'bytes', bytes: new Uint8Array(content) };
  if (content instanceof Blob) {
    return {
      kind: 'stream',
      open: () => toBytes(content.stream()),
      replayable: true,
      sizeBytes: content.size,
    };
  }
  if (isIterable(content)) {
    return { kind: 'stream', open: () => toBytes(content), replayable: false };
  }
  throw new TypeError(
    'A file is written from a string, a Uint8Array, an ArrayBuffer, a Blob, a stream or an iterable of chunks.',
  );
}

/** Slices of a large array, so that hashing and sending take turns. */
export async function* slices(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += sizeBytes) {
    yield bytes.subarray(start, start + sizeBytes);
  }
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}

async function* toBytes(
  chunks: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (typeof chunk === 'string') yield Buffer.from(chunk, 'utf8');
    else if (chunk instanceof Uint8Array) yield chunk;
    else if (chunk instanceof ArrayBuffer) yield new Uint8Array(chunk);
    else
      throw new TypeError('A stream that is written to a file must give strings or Uint8Arrays.');
  }
}
