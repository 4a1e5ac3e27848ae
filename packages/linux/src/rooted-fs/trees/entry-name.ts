import { type ByteString, byteString } from '../../ffi/byte-string.ts';
import { componentsOf } from '../paths/guest-path.ts';
import { Refusal } from '../rooted-fs-error.ts';

/** Where an entry of a tree is, below the directory that the tree is in. */
export interface EntryName {
  /** Directory with the entry, as `a/b`; empty: the top. */
  readonly parent: ByteString;
  /** Undefined: the entry is the top directory itself. */
  readonly name: ByteString | undefined;
}

/**
 * Reads a name that came from outside, as `a/b` or `./a/b/`.
 * @throws Refusal `unsafe` when it is absolute, has `..`, or holds NUL
 */
export function parseEntryName(bytes: Buffer): EntryName {
  const text = bytes.toString('latin1');
  if (text.includes('\0')) throw unsafe('its name holds a NUL byte');
  if (text.startsWith('/')) throw unsafe('its name is absolute');
  const names = componentsOf(byteString(text)).filter((name) => name !== '.');
  if (names.includes('..' as ByteString)) throw unsafe("its name has '..'");
  return { parent: names.slice(0, -1).join('/') as ByteString, name: names.at(-1) };
}

/** @param reason half a sentence about the entry */
export function unsafe(reason: string): Refusal {
  return new Refusal('unsafe', { reason });
}
