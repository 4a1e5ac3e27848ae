import type { IncomingMessage } from 'node:http';
import { errorFromAnswer } from '../errors/error-from-answer.ts';
import type { SandportError } from '../errors/sandport-error.ts';

/** More than any answer in JSON should take; beyond it the answer is not trusted. */
const maxJsonBytes = 256 * 1024 * 1024;

/** Reads a body to its end. */
export async function readAll(body: AsyncIterable<Buffer>, maxBytes = maxJsonBytes) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RangeError(`The answer is larger than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes);
}

/** Value of a header that may come once. */
export function header(message: IncomingMessage, name: string): string | undefined {
  const value = message.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Reads an answer that is not a success and makes its error. */
export async function errorOf(message: IncomingMessage): Promise<SandportError> {
  const requestId = header(message, 'x-request-id');
  const statusCode = message.statusCode ?? 0;
  let body: unknown;
  try {
    const text = (await readAll(message, 1024 * 1024)).toString('utf8');
    body = parseJson(text) ?? text;
  } catch {
    // An answer that breaks off still has its status.
    message.destroy();
  }
  return errorFromAnswer({ body, statusCode, requestId });
}

/** The value of a JSON text; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
