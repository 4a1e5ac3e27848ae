import { Buffer } from 'node:buffer';

/** Bytes of output as the API sends them: text under one name, and in Base64 when it is not UTF-8. */
export function outputBytes(body: unknown, name: 'chunk' | 'data'): Uint8Array {
  if (typeof body !== 'object' || body === null) return new Uint8Array();
  const base64: unknown = Reflect.get(body, `${name}_base64`);
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  const text: unknown = Reflect.get(body, name);
  return Buffer.from(typeof text === 'string' ? text : '', 'utf8');
}
