import { isUtf8 } from 'node:buffer';

/**
 * Bytes as a field of JSON: text for every client, and beside it, in `NAME_base64`, the exact bytes
 * when they are not text.
 */
export function textOf(name: 'chunk' | 'data', bytes: Buffer): Record<string, string> {
  const text = bytes.toString('utf8');
  return isUtf8(bytes)
    ? { [name]: text }
    : { [name]: text, [`${name}_base64`]: bytes.toString('base64') };
}
