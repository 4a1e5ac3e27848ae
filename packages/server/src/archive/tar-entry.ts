import type { TreeEntryAttributes } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { Header } from 'tar-stream';
import { z } from 'zod';

/** What an archive says of an entry, checked. */
export interface ArchivedEntry {
  readonly kind: 'file' | 'directory' | 'symlink' | 'link';
  readonly name: Buffer;
  readonly attributes: TreeEntryAttributes;
  /** Bytes of contents that follow. */
  readonly size: number;
  /** Of symbolic and hard links. */
  readonly linkName: Buffer;
}

const nsPerSecond = 1_000_000_000n;
const kinds: Readonly<Record<string, ArchivedEntry['kind']>> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'directory',
  symlink: 'symlink',
  link: 'link',
};
/** Records of a PAX header, decoded as UTF-8. */
const paxSchema = z.record(z.string(), z.string()).nullish();
const devices: readonly unknown[] = ['character-device', 'block-device', 'fifo'];

/**
 * @param path the directory that is unpacked into, for messages
 * @throws SandportFault `invalid_archive`; `unsafe_archive` for devices and FIFOs
 */
export function parseEntry(header: Header, path: string): ArchivedEntry {
  const shown = header.name.slice(0, 200);
  const refuse = (reason: string) => invalidArchive(path, reason, shown);
  if (devices.includes(header.type)) {
    const reason = 'it is a device or a FIFO';
    throw new SandportFault('unsafe_archive', `The entry "${shown}" is refused: ${reason}.`, {
      path,
      entry: shown,
      reason,
    });
  }
  const pax = paxSchema.parse(header.pax) ?? {};
  const kind = kinds[header.type];
  if (kind === undefined) throw refuse('it is of a kind that is not known');
  if (Object.keys(pax).some((key) => key.startsWith('GNU.sparse.'))) {
    throw refuse('it is a sparse file; make the archive without `--sparse`');
  }
  const { size } = header;
  // What tar-stream makes of a length of -1 is -0.
  if (!Number.isSafeInteger(size) || size < 0 || Object.is(size, -0)) {
    throw refuse('its length is no length of a file');
  }
  const name = bytesOf(header.name, pax['path'], refuse);
  // Tar of 1979 has no directories but by their names.
  const isDirectory = kind === 'directory' || (kind === 'file' && name.at(-1) === 0x2f);
  if (size !== 0 && (isDirectory || kind !== 'file')) {
    throw refuse('it has contents, which only files have');
  }
  return {
    kind: isDirectory ? 'directory' : kind,
    name,
    size,
    linkName: bytesOf(header.linkname ?? '', pax['linkpath'], refuse),
    attributes: {
      mode: number(header.mode, refuse) & 0o7777,
      uid: number(pax['uid'] ?? header.uid, refuse),
      gid: number(pax['gid'] ?? header.gid, refuse),
      mtimeNs: timeNs(pax['mtime'], header.mtime, refuse),
    },
  };
}

/** A fault about an archive that cannot be read. */
export function invalidArchive(
  path: string,
  reason: string,
  entry?: string,
  cause?: unknown,
): SandportFault {
  const about = entry === undefined ? 'The archive' : `The entry "${entry}" of the archive`;
  return new SandportFault(
    'invalid_archive',
    `${about} cannot be read: ${reason}.`,
    { path, reason, ...(entry === undefined ? {} : { entry }) },
    { cause },
  );
}

type Refuse = (reason: string) => SandportFault;

/** Text of a PAX record is decoded; that of the header itself has a character a byte. */
function bytesOf(text: string, fromPax: string | undefined, refuse: Refuse): Buffer {
  if (!fromPax) return Buffer.from(text, 'latin1');
  if (fromPax.includes('\uFFFD')) {
    throw refuse('its name is not UTF-8; make the archive with `--format=gnu`');
  }
  return Buffer.from(fromPax, 'utf8');
}

function number(value: number | string, refuse: Refuse): number {
  const parsed = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof parsed === 'number' && Number.isSafeInteger(parsed) && parsed >= 0) return parsed;
  throw refuse('its mode or owner is not a number');
}

function timeNs(fromPax: string | undefined, inHeader: Date, refuse: Refuse): bigint {
  if (fromPax === undefined) {
    const timeMs = inHeader.getTime();
    if (Number.isNaN(timeMs)) throw refuse('its time is not a number');
    return BigInt(timeMs) * 1_000_000n;
  }
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(fromPax);
  if (match === null) throw refuse('its time is not a number');
  const [, sign, seconds = '', fraction = ''] = match;
  const absolute = BigInt(seconds) * nsPerSecond + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -absolute : absolute;
}
