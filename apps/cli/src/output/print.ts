import { printable, printableJson } from './printable.ts';

/** Writes a line to standard output. */
export function printLine(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** Writes a value as JSON to standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${printableJson(value, 2)}\n`);
}

/** Writes a line to standard error, for people rather than programs. */
export function printNote(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

/** Writes bytes or text, and waits while the reader is behind. */
export function writeAll(stream: NodeJS.WritableStream, bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** Lines that are gathered before they are written. */
const gatherChars = 64 * 1024;

/**
 * Writes many lines to standard output, in large pieces, and waits while the reader is behind, so
 * that a long list takes no memory.
 */
export class LineWriter implements AsyncDisposable {
  #text = '';

  /** A line for people; see `printable`. */
  line(text: string): Promise<void> | undefined {
    return this.raw(`${printable(text)}\n`);
  }

  /** One value as one line of JSON. */
  json(value: unknown): Promise<void> | undefined {
    return this.raw(`${printableJson(value)}\n`);
  }

  /** Text as it is. */
  raw(text: string): Promise<void> | undefined {
    this.#text += text;
    return this.#text.length < gatherChars ? undefined : this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text !== '') await writeAll(process.stdout, text);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.flush();
  }
}
