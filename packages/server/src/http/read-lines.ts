import { SandportFault } from '@sandport/protocol';
import type { Exchange } from './exchange.ts';
import {
  type BodyLine,
  LineSplitter,
  type LineSplitterOptions,
  type SplitLine,
} from './line-splitter.ts';
import { receiveBody } from './receive-body.ts';

export interface ReadLinesOptions extends LineSplitterOptions {
  /** After so long without a byte the body is given up, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/**
 * The lines of a body, as they come; lines of nothing but spaces are left out. No more is read than
 * is asked for, so memory does not grow with the body. A line is good until the next is asked for.
 * @throws SandportFault `request_timeout`, `incomplete_body`
 */
export async function* readLines(
  exchange: Exchange,
  { idleTimeoutMs, ...options }: ReadLinesOptions,
): AsyncGenerator<BodyLine> {
  const { request } = exchange;
  const splitter = new LineSplitter(options);
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
    for await (const each of splitter) {
      const { line, room }: SplitLine = each;
      yield line;
      room?.[Symbol.dispose]();
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
