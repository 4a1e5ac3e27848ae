import type { FileEntry, FileType } from '@sandport/protocol';
import type { FileStat } from '@sandport/linux';

const letters: Record<FileStat['type'], string> = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  character_device: 'c',
  block_device: 'b',
};

/** Most milliseconds that a JavaScript date can hold. */
const maxDateMs = 8.64e15;

export interface EntryName {
  readonly name: string;
  readonly path: string;
  /** The name's bytes, when they are known. */
  readonly nameBytes?: Buffer | undefined;
}

/** A file as the API shows it. All of it is the guest's word, so dates are kept in range. */
export function fileEntry({ name, path, nameBytes }: EntryName, stat: FileStat): FileEntry {
  const modifiedMs = clamp(Number(stat.mtimeNs / 1_000_000n), -maxDateMs, maxDateMs);
  const { type } = stat;
  return {
    name,
    path,
    ...(nameBytes === undefined ? {} : exactName(name, nameBytes)),
    type: fileType(type),
    is_dir: type === 'directory',
    size: stat.size,
    mode: letters[type],
    permissions: stat.mode.toString(8).padStart(4, '0'),
    uid: stat.uid,
    gid: stat.gid,
    mtime: Math.floor(modifiedMs / 1000),
    modified_at: isoDate(modifiedMs),
    ...(stat.symlinkTarget === undefined ? {} : { symlink_target: stat.symlinkTarget }),
    ...(stat.etag === undefined ? {} : { etag: stat.etag }),
  };
}

/** The bytes of a name that its text does not tell. */
export const exactName = (name: string, bytes: Buffer): { name_base64?: string } =>
  bytes.equals(Buffer.from(name)) ? {} : { name_base64: bytes.toString('base64') };

/** The kernel's types that are not served are one for the API. */
export const fileType = (type: FileStat['type']): FileType =>
  type === 'file' || type === 'directory' || type === 'symlink' ? type : 'other';

/** Years beyond 9999 have no form that every reader takes. */
const isoDate = (timeMs: number) =>
  new Date(clamp(timeMs, Date.UTC(0, 0, 1), Date.UTC(9999, 11, 31, 23, 59, 59, 999))).toISOString();

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** Last name of a path; `/` for the root. Trailing slashes do not count. */
export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

export const joinPath = (directory: string, name: string): string =>
  directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`;
