import type { Readable } from 'node:stream';
import type { TerminalSize } from '../pod-streams.ts';

/** An object with two numbers and their names is much shorter. */
const maxTextLength = 1024;

/**
 * The sizes that a client sends as `{"Width":80,"Height":24}`, one object after the other. The
 * client is read whether or not anybody asks; of the sizes that nobody has taken, only the last is
 * kept. What is no size is left out. To be iterated once.
 */
export class TerminalSizes implements AsyncIterable<TerminalSize> {
  #text = '';
  #size: TerminalSize | undefined;
  #ended = false;
  #changed: () => void = () => {};

  constructor(from: Readable | undefined) {
    this.#ended = from === undefined;
    from?.on('data', (chunk: Buffer) => this.#receive(chunk));
    from?.on('close', () => {
      this.#ended = true;
      this.#changed();
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalSize, void, undefined> {
    while (this.#size !== undefined || !this.#ended) {
      const size = this.#size;
      this.#size = undefined;
      if (size !== undefined) yield size;
      else await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  #receive(chunk: Buffer): void {
    this.#text = (this.#text + chunk.toString('latin1')).slice(-maxTextLength);
    const end = this.#text.lastIndexOf('}');
    if (end < 0) return;
    const begin = this.#text.lastIndexOf('{', end);
    const size = parseSize(this.#text.slice(Math.max(begin, 0), end + 1));
    this.#text = this.#text.slice(end + 1);
    if (size === undefined) return;
    this.#size = size;
    this.#changed();
  }
}

function parseSize(text: string): TerminalSize | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const columns = 'Width' in value ? value.Width : undefined;
  const rows = 'Height' in value ? value.Height : undefined;
  return isLength(columns) && isLength(rows) ? { columns, rows } : undefined;
}

const isLength = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
