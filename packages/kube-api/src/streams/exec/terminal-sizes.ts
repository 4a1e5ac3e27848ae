import type { Readable } from 'node:stream';
import type { TerminalSize } from '../pod-streams.ts';

/** An object with two numbers and their names is much shorter. */
const maxMessageChars = 1024;

/**
 * The sizes that a client sends as `{"Width":80,"Height":24}`, one object after the other. Only the
 * last one that nobody has read is kept. What is no size is left out.
 */
export async function* terminalSizes(from: Readable): AsyncGenerator<TerminalSize> {
  let text = '';
  for await (const chunk of from) {
    text = (text + String(chunk)).slice(-maxMessageChars);
    const end = text.lastIndexOf('}');
    const size = end < 0 ? undefined : parseSize(text.slice(text.lastIndexOf('{', end), end + 1));
    text = text.slice(end + 1);
    if (size !== undefined) yield size;
  }
}

function parseSize(text: string): TerminalSize | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { Width: columns, Height: rows } = value as { Width?: unknown; Height?: unknown };
    return isLength(columns) && isLength(rows) ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}

const isLength = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
