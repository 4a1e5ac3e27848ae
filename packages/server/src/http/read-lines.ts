import { Transform, type TransformCallback } from 'node:stream';
import { SandportFault } from '@sandport/protocol';
import type { Exchange } from './exchange.ts';
import { receiveBody } from './receive-body.ts';

export interface ReadLinesOptions {
  /** Longer lines come without their bytes. */
  readonly maxLineBytes: number;
  /** After so long without a byte the body is given up, in milliseconds. */
  readonly idleTimeoutMs: number;
}

export interface BodyLine {
  /** From 1. */
  readonly number: number;
  /** Without the line break; undefined when the line is too long. */
  readonly bytes: Buffer | undefined;
}

/**
 * The lines of a body, as they come; lines of nothing but spaces are left out. No more is read than
 * is asked for, so memory does not grow with the body.
 * @throws SandportFault `request_timeout`, `incomplete_body`
 */
export async function* readLines(
  exchange: Exchange,
  { maxLineBytes, idleTimeoutMs }: ReadLinesOptions,
): AsyncGenerator<BodyLine> {
  const { request } = exchange;
  const splitter = new LineSplitter(maxLineBytes);
  const onIdle = () =>
    new SandportFault('request_timeout', `Nothing of the body came for ${idleTimeoutMs} ms.`);
  request.on('data', (chunk: Buffer) => {
    exchange.bytesIn += chunk.length;
  });
  exchange.takeBody();
  const received = receiveBody(request, splitter, { idleTimeoutMs, onIdle });
  // Whoever iterates is told of the same error.
  received.catch(() => undefined);
  try {
    for await (const line of splitter) {
      const each: BodyLine = line;
      yield each;
    }
    await received;
  } catch (error) {
    if (error instanceof SandportFault || request.complete) throw error;
    throw new SandportFault('incomplete_body', 'The body ended before its announced length.', {
      received_bytes: exchange.bytesIn,
    });
  } finally {
    splitter.destroy();
  }
}

const lineBreak = 0x0a;

class LineSplitter extends Transform {
  readonly #maxLineBytes: number;
  /** Beginning of the line that has not ended yet; undefined when it is too long. */
  #open: Buffer[] | undefined = [];
  #openBytes = 0;
  #number = 0;

  constructor(maxLineBytes: number) {
    super({ readableObjectMode: true, readableHighWaterMark: 1 });
    this.#maxLineBytes = maxLineBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineBreak, start);
      if (end === -1) break;
      this.#take(chunk.subarray(start, end));
      this.#emitLine();
      start = end + 1;
    }
    this.#take(chunk.subarray(start));
    callback();
  }

  override _flush(callback: TransformCallback): void {
    if (this.#openBytes > 0) this.#emitLine();
    callback();
  }

  #take(bytes: Buffer): void {
    this.#openBytes += bytes.length;
    if (this.#openBytes > this.#maxLineBytes) this.#open = undefined;
    this.#open?.push(bytes);
  }

  #emitLine(): void {
    const bytes = this.#open === undefined ? undefined : Buffer.concat(this.#open);
    this.#open = [];
    this.#openBytes = 0;
    this.#number += 1;
    if (bytes === undefined || !isBlank(bytes)) this.push({ number: this.#number, bytes });
  }
}

const isBlank = (bytes: Buffer): boolean =>
  bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
