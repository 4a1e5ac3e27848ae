import type { Buffer } from 'node:buffer';

/**
 * A number field of a tar header: octal digits between spaces and zero bytes, or, with the first
 * bit set, a big-endian number.
 * @returns undefined when it is neither, is negative, or is not exact in a double
 */
export function readNumber(block: Buffer, start: number, end: number): number | undefined {
  let at = start;
  const first = block[at] ?? 0;
  if (first >= 0x80) return first === 0x80 ? bigEndian(block, start + 1, end) : undefined;
  while (at < end && block[at] === 0x20) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit >= 0 && digit < 8) value = value * 8 + digit;
    else if (digit === -0x30 || digit === -0x10) break;
    else return undefined;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

function bigEndian(block: Buffer, start: number, end: number): number | undefined {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 256 + (block[at] ?? 0);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** True when the checksum field holds the sum of the header's bytes. */
export function checksumFits(block: Buffer): boolean {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at++) sum += block[at] ?? 0;
  for (let at = 156; at < 512; at++) sum += block[at] ?? 0;
  return readNumber(block, 148, 156) === sum;
}
