import { isUtf8 } from 'node:buffer';

const blockBytes = 512;
const nsPerSecond = 1_000_000_000n;
const maxOctalTime = 8n ** 11n - 1n;
const maxOctalSize = 8 ** 11 - 1;

export interface TarEntry {
  readonly type: 'file' | 'directory' | 'symlink' | 'link';
  /** Relative, byte by byte, without a slash at its end. */
  readonly name: Buffer;
  /** What a symlink says, or the first name of a hard link. */
  readonly linkName?: Buffer | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of contents, which follow the header; 0 of all but files. */
  readonly size: number;
  readonly mtimeNs: bigint;
}

const typeFlags = { file: '0', link: '1', symlink: '2', directory: '5' } as const;

/**
 * Header blocks of an entry (POSIX.1-2001, ustar with PAX). What does not fit goes into a PAX header;
 * a name that is not UTF-8, which PAX has no form for, into a long name of GNU tar. Lengths from
 * 8 GiB on are binary, as GNU tar writes them.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const name = entry.type === 'directory' ? Buffer.concat([entry.name, slash]) : entry.name;
  const fields = splitName(name);
  const blocks: Buffer[] = [];
  const records: Buffer[] = [];
  const spell = (key: string, flag: string, bytes: Buffer) => {
    if (isUtf8(bytes)) records.push(paxRecord(key, bytes));
    else blocks.push(longName(flag, bytes));
  };
  if (fields === undefined) spell('path', 'L', name);
  const { linkName = Buffer.alloc(0) } = entry;
  if (linkName.length > 100) spell('linkpath', 'K', linkName);
  const seconds = floorDivide(entry.mtimeNs);
  const isWhole = seconds * nsPerSecond === entry.mtimeNs;
  const fits = isWhole && seconds >= 0n && seconds <= maxOctalTime;
  if (!fits) records.push(paxRecord('mtime', Buffer.from(decimalSeconds(entry.mtimeNs))));
  if (records.length > 0) blocks.push(extended('x', 'PaxHeaders/x', Buffer.concat(records)));
  blocks.push(
    block({
      name: fields?.name ?? name.subarray(0, 100),
      prefix: fields?.prefix,
      flag: typeFlags[entry.type],
      linkName: linkName.subarray(0, 100),
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      size: entry.size,
      seconds: seconds < 0n ? 0n : seconds > maxOctalTime ? maxOctalTime : seconds,
    }),
  );
  return blocks.length === 1 ? (blocks[0] ?? empty) : Buffer.concat(blocks);
}

/** Zeros that fill the last block of a file of so many bytes. */
export const tarPadding = (size: number): Buffer =>
  zeros.subarray(0, (blockBytes - (size % blockBytes)) % blockBytes);

/** What ends an archive. */
export const tarEnd = Buffer.alloc(2 * blockBytes);

const zeros = Buffer.alloc(blockBytes);
const empty = Buffer.alloc(0);
const slash = Buffer.from('/');

/** Name and prefix of the ustar format; undefined when the name does not fit. */
function splitName(name: Buffer): { name: Buffer; prefix: Buffer } | undefined {
  if (name.length <= 100) return { name, prefix: empty };
  // The slash between them is not written. The last one ends a directory's name and stays there.
  const from = Math.max(1, name.length - 101);
  const at = name.indexOf(0x2f, from);
  if (at === -1 || at > 155 || at === name.length - 1) return undefined;
  return { name: name.subarray(at + 1), prefix: name.subarray(0, at) };
}

interface BlockFields {
  readonly name: Buffer;
  readonly prefix?: Buffer | undefined;
  readonly flag: string;
  readonly linkName?: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly seconds: bigint;
}

function block(fields: BlockFields): Buffer {
  const header = Buffer.alloc(blockBytes);
  fields.name.copy(header, 0);
  writeOctal(header, fields.mode, 100, 7);
  writeOctal(header, fields.uid, 108, 7);
  writeOctal(header, fields.gid, 116, 7);
  writeSize(header, fields.size);
  writeOctal(header, fields.seconds, 136, 11);
  header.write(fields.flag, 156, 'latin1');
  fields.linkName?.copy(header, 157);
  header.write('ustar\u000000', 257, 'latin1');
  fields.prefix?.copy(header, 345);
  let sum = 8 * 0x20;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

const writeOctal = (header: Buffer, value: number | bigint, offset: number, digits: number) =>
  header.write(value.toString(8).padStart(digits, '0'), offset, 'latin1');

function writeSize(header: Buffer, size: number): void {
  if (size <= maxOctalSize) {
    writeOctal(header, size, 124, 11);
    return;
  }
  header.writeUInt8(0x80, 124);
  header.writeBigUInt64BE(BigInt(size), 128);
}

/** A header whose contents tell something about the next one. */
function extended(flag: string, name: string, contents: Buffer): Buffer {
  const header = block({
    name: Buffer.from(name),
    flag,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: contents.length,
    seconds: 0n,
  });
  return Buffer.concat([header, contents, tarPadding(contents.length)]);
}

const longName = (flag: string, bytes: Buffer): Buffer =>
  extended(flag, '././@LongLink', Buffer.concat([bytes, zeros.subarray(0, 1)]));

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

function floorDivide(timeNs: bigint): bigint {
  const seconds = timeNs / nsPerSecond;
  return seconds * nsPerSecond > timeNs ? seconds - 1n : seconds;
}

function decimalSeconds(timeNs: bigint): string {
  const absolute = timeNs < 0n ? -timeNs : timeNs;
  const fraction = String(absolute % nsPerSecond)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const text = fraction === '' ? '' : `.${fraction}`;
  return `${timeNs < 0n ? '-' : ''}${absolute / nsPerSecond}${text}`;
}
