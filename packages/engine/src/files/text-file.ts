import { TextDecoder } from 'node:util';
import type { OpenFile } from '@sandport/driver';

/** The file is not text: it holds a NUL byte, or is not UTF-8. */
export class NotTextError extends Error {}

/**
 * The text of a file, in pieces that end anywhere. Closes the file.
 * @param options.ignoreBOM true: a byte order mark stays in the text
 * @throws NotTextError; SandportFault when the file cannot be read or has become shorter
 */
export async function* textOf(
  file: OpenFile,
  options: { readonly ignoreBOM: boolean },
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ...options });
  const small = await readIfSmall(file);
  if (small !== undefined) {
    yield decode(decoder, small, { stream: false });
    return;
  }
  for await (const chunk of file.stream()) {
    const bytes: Buffer = chunk;
    yield decode(decoder, bytes, { stream: true });
  }
  yield decode(decoder, Buffer.alloc(0), { stream: false });
}

/** Up to here a file is read at once: a stream for each of many small files takes longer. */
const smallFileBytes = 64 * 1024;

/** All bytes of a small file, which is closed then; undefined of a larger one. */
async function readIfSmall(file: OpenFile): Promise<Buffer | undefined> {
  if (file.entry.size > smallFileBytes) return undefined;
  try {
    return file.readSmall(smallFileBytes);
  } finally {
    await file.close();
  }
}

function decode(decoder: TextDecoder, bytes: Buffer, options: { stream: boolean }): string {
  if (bytes.includes(0)) throw new NotTextError('a NUL byte');
  try {
    return decoder.decode(bytes, options);
  } catch (error) {
    throw new NotTextError('not UTF-8', { cause: error });
  }
}

/** Cuts a text that comes in pieces into lines. What is beyond `maxLength` of a line is dropped. */
export class LineCutter {
  readonly #maxLength: number;
  /** The beginning of the line that has not ended yet. */
  #open = '';
  #isEmpty = true;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Lines that end in this piece, without their line breaks. */
  push(piece: string): string[] {
    if (piece === '') return [];
    const lines = piece.split('\n');
    const last = lines.pop() ?? '';
    if (lines.length === 0) {
      this.#append(last);
      return lines;
    }
    this.#append(lines[0] ?? '');
    lines[0] = this.#open;
    this.#open = '';
    this.#isEmpty = true;
    this.#append(last);
    return lines;
  }

  /** The last line, when no line break ends it. */
  end(): string | undefined {
    return this.#isEmpty ? undefined : this.#open;
  }

  #append(text: string): void {
    if (text === '') return;
    this.#isEmpty = false;
    if (this.#open.length < this.#maxLength)
      this.#open = (this.#open + text).slice(0, this.#maxLength);
  }
}

/** A line without the carriage return before its end. */
export const withoutReturn = (line: string): string =>
  line.endsWith('\r') ? line.slice(0, -1) : line;
