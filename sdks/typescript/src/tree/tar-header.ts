import { Buffer } from 'node:buffer';
import { timeText } from '../filesystem/file-time.ts';

export const blockBytes = 512;

/** What an archive says of an entry. */
export interface TarEntryHeader {
  readonly type: 'file' | 'directory' | 'symlink' | 'hardLink';
  /** Relative, with `/` between names, without one at the end. */
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Bytes of contents that follow; 0 for all but files. */
  readonly sizeBytes: number;
  /** Text of a symlink, or the earlier name of a hard link. */
  readonly linkName?: string | undefined;
}

const typeFlags = { file: 0x30, hardLink: 0x31, symlink: 0x32, directory: 0x35 } as const;
/** Largest size and time that twelve octal digits tell. */
const maxOctal = 8 ** 11 - 1;

/** Most bytes that the header of an entry takes. */
export const maxHeaderBytes = (entry: TarEntryHeader): number =>
  blockBytes * 4 + 3 * (entry.name.length + (entry.linkName?.length ?? 0));

/**
 * Writes the header of an entry in the POSIX format, with a PAX header before it when the plain
 * one cannot say all. Times are kept to the nanosecond.
 * @returns the offset behind it; the space must be at least {@link maxHeaderBytes}
 */
export function writeTarHeader(target: Buffer, offset: number, entry: TarEntryHeader): number {
  const name = entry.type === 'directory' ? `${entry.name}/` : entry.name;
  const records = paxRecords(entry, name);
  let at = offset;
  if (records !== '') {
    const bytes = Buffer.byteLength(records);
    at = writeBlock(target, at, entry, { name: 'PaxHeader', typeFlag: 0x78, sizeBytes: bytes });
    target.write(records, at, 'utf8');
    at = padBlock(target, at + bytes, at);
  }
  const typeFlag = typeFlags[entry.type];
  return writeBlock(target, at, entry, { name, typeFlag, sizeBytes: entry.sizeBytes });
}

/** Fills up with zeros to a whole block, counted from where the contents began. */
export function padBlock(target: Buffer, offset: number, begin: number): number {
  const end = begin + Math.ceil((offset - begin) / blockBytes) * blockBytes;
  target.fill(0, offset, end);
  return end;
}

function paxRecords(entry: TarEntryHeader, name: string): string {
  const { mtimeNs, linkName, sizeBytes } = entry;
  let records = '';
  if (Buffer.byteLength(name) > 100) records += paxRecord('path', name);
  if (linkName !== undefined && Buffer.byteLength(linkName) > 100)
    records += paxRecord('linkpath', linkName);
  if (sizeBytes > maxOctal) records += paxRecord('size', String(sizeBytes));
  if (mtimeNs % 1_000_000_000n !== 0n || mtimeNs < 0n || mtimeNs > 8n ** 11n * 1_000_000_000n)
    records += paxRecord('mtime', timeText(mtimeNs));
  return records;
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const restBytes = Buffer.byteLength(rest);
  let length = restBytes + 1;
  while (String(length).length + restBytes !== length) length++;
  return `${length}${rest}`;
}

interface Block {
  readonly name: string;
  readonly typeFlag: number;
  readonly sizeBytes: number;
}

function writeBlock(target: Buffer, at: number, entry: TarEntryHeader, block: Block): number {
  const seconds = Number(entry.mtimeNs / 1_000_000_000n);
  target.fill(0, at, at + blockBytes);
  target.write(block.name, at, 100, 'utf8');
  octal(target, at + 100, 7, entry.mode & 0o7777);
  octal(target, at + 108, 7, Math.min(entry.uid, 0o7777777));
  octal(target, at + 116, 7, Math.min(entry.gid, 0o7777777));
  octal(target, at + 124, 11, block.sizeBytes > maxOctal ? 0 : block.sizeBytes);
  octal(target, at + 136, 11, Math.min(Math.max(seconds, 0), maxOctal));
  target[at + 156] = block.typeFlag;
  if (entry.linkName !== undefined && block.typeFlag !== 0x78)
    target.write(entry.linkName, at + 157, 100, 'utf8');
  target.write('ustar\x0000', at + 257, 'latin1');
  target.fill(0x20, at + 148, at + 156);
  let sum = 0;
  for (let index = at; index < at + blockBytes; index++) sum += target[index] ?? 0;
  octal(target, at + 148, 6, sum);
  target[at + 154] = 0;
  return at + blockBytes;
}

/** Digits and nothing behind them: the field's last byte is zero already. */
function octal(target: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let index = at + digits - 1; index >= at; index--) {
    target[index] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}
