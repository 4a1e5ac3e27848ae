import type { KeptCommand } from '@sandport/driver';

export interface OutputPageOptions {
  readonly stream: 'stdout' | 'stderr';
  /** Offset of the first byte that is wanted. */
  readonly since: number;
  /** Most bytes. */
  readonly limitBytes: number;
  readonly signal?: AbortSignal;
}

/** Part of what a command wrote. */
export interface OutputPage {
  /** Of the first byte; behind `since` when older ones are gone. */
  readonly offset: number;
  /** Behind the last byte. */
  readonly nextOffset: number;
  /** All of it. @throws Error when bytes go away before they are read */
  readonly chunks: AsyncIterable<Buffer>;
}

/** What there is at this moment. */
export function outputPage(command: KeptCommand, options: OutputPageOptions): OutputPage {
  const { stream, since, limitBytes } = options;
  const { startOffset, endOffset } = command.range(stream);
  const offset = Math.max(since, startOffset);
  const nextOffset = Math.max(Math.min(endOffset, offset + limitBytes), offset);
  return { offset, nextOffset, chunks: between(command, offset, nextOffset, options) };
}

async function* between(
  command: KeptCommand,
  from: number,
  to: number,
  { stream, signal }: OutputPageOptions,
): AsyncGenerator<Buffer> {
  let at = from;
  if (at >= to) return;
  for await (const { offset, bytes } of command.read(stream, { since: from, signal })) {
    if (offset > at) break;
    const part = bytes.subarray(at - offset, to - offset);
    at += part.length;
    if (part.length > 0) yield part;
    if (at >= to) return;
  }
  throw new Error(`output of a command went away between ${at} and ${to}`);
}
