import { printable } from './printable.ts';

/** Writes a line to standard output. */
export function printLine(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** Writes a value as JSON to standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Writes a line to standard error, for people rather than programs. */
export function printNote(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

/** Writes bytes, and waits while the reader is behind. */
export function writeAll(stream: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
