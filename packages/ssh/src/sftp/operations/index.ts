import { maxDataBytes, maxPacketBytes, Request } from '../protocol/constants.ts';
import { numbersPacket } from '../protocol/responses.ts';
import * as directories from './directories.ts';
import * as entries from './entries.ts';
import * as files from './open-files.ts';
import type { Operation } from './operation.ts';
import { statvfs } from './space.ts';

/** Files that one connection may have open. */
export const maxHandles = 256;

/** By the type of the request. */
export const operations: ReadonlyMap<number, Operation> = new Map([
  [Request.open, files.open],
  [Request.close, files.close],
  [Request.read, files.read],
  [Request.write, files.write],
  [Request.fstat, files.fstat],
  [Request.fsetstat, files.fsetstat],
  [Request.stat, entries.stat],
  [Request.lstat, entries.lstat],
  [Request.setstat, entries.setstat],
  [Request.remove, entries.remove],
  [Request.rename, entries.rename],
  [Request.readlink, entries.readlink],
  [Request.symlink, entries.symlink],
  [Request.realpath, entries.realpath],
  [Request.opendir, directories.opendir],
  [Request.readdir, directories.readdir],
  [Request.mkdir, directories.mkdir],
  [Request.rmdir, directories.rmdir],
]);

const limits: Operation = async (_context, id) =>
  numbersPacket(id, [maxPacketBytes, maxDataBytes, maxDataBytes, maxHandles].map(BigInt));

/** Extensions of OpenSSH (its file PROTOCOL), by name. */
const extensionTable: Readonly<Record<string, { version: string; operation: Operation }>> = {
  'posix-rename@openssh.com': { version: '1', operation: entries.posixRename },
  'hardlink@openssh.com': { version: '1', operation: entries.hardLink },
  'lsetstat@openssh.com': { version: '1', operation: entries.lsetstat },
  'statvfs@openssh.com': { version: '2', operation: statvfs },
  'fstatvfs@openssh.com': { version: '2', operation: files.fstatvfs },
  'fsync@openssh.com': { version: '1', operation: files.fsync },
  'limits@openssh.com': { version: '1', operation: limits },
  'expand-path@openssh.com': { version: '1', operation: entries.expandPath },
};

export const extensions: ReadonlyMap<string, Operation> = new Map(
  Object.entries(extensionTable).map(([name, { operation }]) => [name, operation]),
);

/** What is told to clients: name → version. */
export const extensionVersions: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(extensionTable).map(([name, { version }]) => [name, version]),
);
