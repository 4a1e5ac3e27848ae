const blockBytes = 512;

/** One entry of a tar archive, byte by byte: every field may lie. */
export interface RawEntry {
  /** Name as bytes or text; up to 100 bytes of it fit. */
  readonly name: string | Uint8Array;
  /** One character. @default '0', a file */
  readonly type?: string;
  readonly linkName?: string;
  readonly content?: string | Uint8Array;
  /** Length that the header tells. @default that of `content` */
  readonly size?: number;
  /** The twelve bytes of the size field themselves. */
  readonly sizeField?: Uint8Array;
  /** @default 0o644 */
  readonly mode?: number;
  /** Put in front of the name by a reader of ustar. @default '' */
  readonly prefix?: string;
  /** Text of the checksum field. @default the right one */
  readonly checksum?: string;
  /** @default 'ustar\0' + '00' */
  readonly magic?: string;
}

/** Header and padded content of an entry. */
export function rawEntry(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? '');
  return Buffer.concat([rawHeader(entry, content.length), padded(content)]);
}

/** An archive of these entries with its end. */
export const rawTar = (...entries: readonly (RawEntry | Buffer)[]): Buffer =>
  Buffer.concat([
    ...entries.map((entry) => (Buffer.isBuffer(entry) ? entry : rawEntry(entry))),
    Buffer.alloc(2 * blockBytes),
  ]);

/** A PAX header for the entry after it. Values may hold any bytes. */
export function rawPax(records: Readonly<Record<string, string>>, type = 'x'): Buffer {
  const text = Object.entries(records).map(([key, value]) => paxRecord(key, value));
  return rawEntry({ name: 'PaxHeader', type, content: Buffer.concat(text) });
}

function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function rawHeader(entry: RawEntry, contentBytes: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  Buffer.from(entry.name).copy(block, 0, 0, 100);
  block.write(`${(entry.mode ?? 0o644).toString(8).padStart(7, '0')}\0`, 100);
  block.write('0001750\x000001750\x00', 108);
  block.write(`${(entry.size ?? contentBytes).toString(8).padStart(11, '0').slice(-11)}\0`, 124);
  if (entry.sizeField !== undefined) Buffer.from(entry.sizeField).copy(block, 124, 0, 12);
  block.write('14524770000\0', 136);
  block.write(entry.type ?? '0', 156);
  Buffer.from(entry.linkName ?? '').copy(block, 157, 0, 100);
  block.write(entry.magic ?? 'ustar\x0000', 257, 'latin1');
  block.write(entry.prefix ?? '', 345);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(entry.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function padded(content: Buffer): Buffer {
  const rest = content.length % blockBytes;
  return rest === 0 ? content : Buffer.concat([content, Buffer.alloc(blockBytes - rest)]);
}
