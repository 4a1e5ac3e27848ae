import { SystemError } from './system-error.ts';

/**
 * One name or path as bytes, a character a byte: what the kernel sees, whatever its encoding.
 * Never holds NUL.
 */
export type ByteString = string & { readonly __brand: 'ByteString' };

/** @throws SystemError EINVAL when a character is no byte or NUL */
export function byteString(text: string): ByteString {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0 || unit > 255) throw new SystemError('EINVAL', 'byteString');
  }
  return text as ByteString; // Checked above: every character is a byte other than NUL.
}

/** Decoded as UTF-8, with U+FFFD for what is not. */
export function textOf(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** As the kernel takes it. */
export function terminated(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'latin1');
}

/** UTF-8 bytes of a trusted host path. @throws SystemError EINVAL when it holds NUL */
export function hostPath(path: string): ByteString {
  return byteString(Buffer.from(path, 'utf8').toString('latin1'));
}
