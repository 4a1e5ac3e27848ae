import { Buffer } from 'node:buffer';

/** Splits a stream of lines of text. A last line without its end counts too. */
export async function* splitLines(
  source: AsyncIterable<Buffer>,
): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = [];
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      parts.push(chunk.subarray(start, end));
      const line = joined(parts);
      parts = [];
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  const last = joined(parts);
  if (last !== '') yield last;
}

const joined = (parts: readonly Buffer[]) => Buffer.concat(parts).toString('utf8');
