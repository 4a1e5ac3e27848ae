import type { HeldFileChange } from '@sandport/driver';
import type { FileEntry } from '@sandport/protocol';
import { AttributeFlag } from './constants.ts';
import type { PacketReader } from './packet-reader.ts';

/** Bits of a mode that say what a file is, by the letter in {@link FileEntry.mode}. */
const typeBits: Readonly<Record<string, number>> = {
  f: 0o100_000,
  d: 0o040_000,
  l: 0o120_000,
  p: 0o010_000,
  s: 0o140_000,
  c: 0o020_000,
  b: 0o060_000,
};

const maxExtended = 64;
const maxTime = 0xffff_ffff;

export const modeOf = (entry: FileEntry): number =>
  (typeBits[entry.mode] ?? 0) | Number.parseInt(entry.permissions, 8);

/** What a file is, as SFTP has it. */
export function encodeAttributes(entry: FileEntry): Buffer {
  const bytes = Buffer.allocUnsafe(32);
  const { size, owner, permissions, times } = AttributeFlag;
  bytes.writeUInt32BE(size | owner | permissions | times, 0);
  bytes.writeBigUInt64BE(BigInt(Math.max(0, entry.size)), 4);
  bytes.writeUInt32BE(entry.uid >>> 0, 12);
  bytes.writeUInt32BE(entry.gid >>> 0, 16);
  bytes.writeUInt32BE(modeOf(entry), 20);
  const time = Math.min(maxTime, Math.max(0, entry.mtime));
  bytes.writeUInt32BE(time, 24);
  bytes.writeUInt32BE(time, 28);
  return bytes;
}

/** What a client wants a file to have. The time of the last access is not kept. */
export function readAttributes(reader: PacketReader): HeldFileChange {
  const flags = reader.uint32();
  const has = (flag: number) => (flags & flag) !== 0;
  const sizeBytes = has(AttributeFlag.size) ? reader.uint64() : undefined;
  const owner = has(AttributeFlag.owner)
    ? { uid: reader.uint32(), gid: reader.uint32() }
    : undefined;
  const mode = has(AttributeFlag.permissions) ? reader.uint32() & 0o7777 : undefined;
  if (has(AttributeFlag.times)) reader.uint32();
  const mtimeNs = has(AttributeFlag.times) ? BigInt(reader.uint32()) * 1_000_000_000n : undefined;
  if (has(AttributeFlag.extended)) {
    const count = Math.min(reader.uint32(), maxExtended);
    for (let index = 0; index < 2 * count; index++) reader.bytes();
  }
  return { sizeBytes, owner, mode, mtimeNs };
}
