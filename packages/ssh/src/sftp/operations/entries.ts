import { dirname } from 'node:path/posix';
import type { HeldFileChange, SandboxFiles } from '@sandport/driver';
import { homeDirectory } from '@sandport/engine';
import { type GuestPath, parseGuestPath, SandportFault } from '@sandport/protocol';
import { encodeAttributes, readAttributes } from '../protocol/attributes.ts';
import { Status } from '../protocol/constants.ts';
import { attributesPacket, nameItem, namePacket, statusPacket } from '../protocol/responses.ts';
import { decode, type SftpContext } from '../sftp-context.ts';
import { done } from './answers.ts';
import type { Operation } from './operation.ts';

const statWith =
  (followSymlinks: boolean): Operation =>
  async (context, id, reader) => {
    const path = context.path(reader.bytes());
    const entry = await (await context.reading()).stat(path, { followSymlinks });
    return attributesPacket(id, encodeAttributes(entry));
  };

export const stat = statWith(true);
export const lstat = statWith(false);

export const setstat: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  const change = readAttributes(reader);
  await setAttributes(await context.writing(), path, change);
  return done(id);
};

async function setAttributes(
  files: SandboxFiles,
  path: GuestPath,
  { sizeBytes, mode, owner, mtimeNs }: HeldFileChange,
): Promise<void> {
  if (sizeBytes !== undefined) {
    await using file = await files.hold(path, { read: false, write: true });
    await file.change({ sizeBytes });
  }
  // In this order: a change of the owner takes set-id bits away.
  if (owner !== undefined) await files.chown(path, owner);
  if (mode !== undefined) await files.chmod(path, mode);
  if (mtimeNs !== undefined) await files.touch(path, { mtimeNs, create: false });
}

export const remove: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  const files = await context.writing();
  const { is_dir } = await files.stat(path, { followSymlinks: false });
  if (is_dir) return statusPacket(id, Status.failure, `${path} is a directory.`);
  await files.remove(path);
  return done(id);
};

const renameWith =
  (overwrite: boolean): Operation =>
  async (context, id, reader) => {
    const from = context.path(reader.bytes());
    const to = context.path(reader.bytes());
    const files = await context.writing();
    await needParent(context, to);
    await files.move(from, to, { overwrite });
    return done(id);
  };

export const rename = renameWith(false);
export const posixRename = renameWith(true);

export const readlink: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  const entry = await (await context.reading()).stat(path, { followSymlinks: false });
  const target = entry.symlink_target;
  if (target === undefined) return statusPacket(id, Status.failure, `${path} is not a symlink.`);
  return namePacket(id, [bareName(target)]);
};

/** The target comes first, as OpenSSH has it. */
export const symlink: Operation = async (context, id, reader) => {
  const target = decode(reader.bytes());
  const path = context.path(reader.bytes());
  if (target === '' || target.includes('\0'))
    return statusPacket(id, Status.badMessage, 'A symlink needs a target.');
  const files = await context.writing();
  await needParent(context, path);
  await files.symlink(path, target);
  return done(id);
};

/** hardlink@openssh.com: the file comes first. */
export const hardLink: Operation = async (context, id, reader) => {
  const from = context.path(reader.bytes());
  const to = context.path(reader.bytes());
  await (await context.writing()).hardLink(from, to);
  return done(id);
};

/** lsetstat@openssh.com: of a symlink itself, which has an owner and nothing else to be set. */
export const lsetstat: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  const change = readAttributes(reader);
  const files = await context.writing();
  const { mode } = await files.stat(path, { followSymlinks: false });
  if (mode !== 'l') await setAttributes(files, path, change);
  else if (change.owner !== undefined)
    await files.chown(path, change.owner, { followSymlinks: false });
  return done(id);
};

export const realpath: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  return namePacket(id, [bareName(await (await context.reading()).realPath(path))]);
};

/** `~` and `~/path`: the home of the sandbox's user. */
export const expandPath: Operation = async (context, id, reader) => {
  const bytes = reader.bytes();
  const text = decode(bytes);
  const files = await context.reading();
  const tilde = /^~([^/]*)(.*)$/s.exec(text);
  const [, user = '', rest = ''] = tilde ?? [];
  const home = tilde && (await homeDirectory(files, user === '' ? context.sandbox.user : user));
  const path = home === null ? context.path(bytes) : parseGuestPath(`${home}${rest}`);
  return namePacket(id, [bareName(await files.realPath(path))]);
};

/** A path in an answer that tells nothing else of it. */
const bareName = (path: string): Buffer => {
  const name = Buffer.from(path);
  return nameItem({ name, longName: name, attributes: Buffer.alloc(4) });
};

/** SFTP makes no parents. @throws SandportFault `file_not_found` */
async function needParent(context: SftpContext, path: GuestPath): Promise<void> {
  const parent = parseGuestPath(dirname(path));
  const { is_dir } = await (await context.reading()).stat(parent);
  if (!is_dir)
    throw new SandportFault('not_a_directory', `${parent} is not a directory.`, { path: parent });
}
