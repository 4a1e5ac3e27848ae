import { type HoldFileOptions, type SandboxFiles } from '@sandport/driver';
import { readAttributes, encodeAttributes } from '../protocol/attributes.ts';
import { maxDataBytes, OpenFlag, Status } from '../protocol/constants.ts';
import {
  attributesPacket,
  dataHeadBytes,
  dataPacket,
  handlePacket,
  numbersPacket,
  statusPacket,
} from '../protocol/responses.ts';
import type { FileHandle } from '../handles/handle-table.ts';
import type { SftpContext } from '../sftp-context.ts';
import { done, noSuchHandle, tooManyHandles } from './answers.ts';
import type { Operation } from './operation.ts';
import { spaceNumbers } from './space.ts';

/** Bits that new files do not get, as of a program in the sandbox. */
export const umask = 0o022;

export const open: Operation = async (context, id, reader) => {
  const path = context.path(reader.bytes());
  const flags = reader.uint32();
  const { mode } = readAttributes(reader);
  const has = (flag: number) => (flags & flag) !== 0;
  const write = has(OpenFlag.write) || has(OpenFlag.append);
  const options: HoldFileOptions = {
    // A client that asks for neither wants to read.
    read: has(OpenFlag.read) || !write,
    write,
    append: has(OpenFlag.append),
    truncate: has(OpenFlag.truncate),
    create: write && has(OpenFlag.create),
    exclusive: write && has(OpenFlag.create) && has(OpenFlag.exclusive),
    mode: (mode ?? 0o666) & ~umask,
  };
  const name = await context.handles.open(async () => {
    const files: SandboxFiles = await (write ? context.writing() : context.reading());
    const file = await files.hold(path, options);
    return { kind: 'file', path, file, lastWrite: Promise.resolve() };
  });
  return name === undefined ? tooManyHandles(id) : handlePacket(id, name);
};

export const close: Operation = async (context, id, reader) =>
  (await context.handles.close(reader.bytes())) ? done(id) : noSuchHandle(id);

export const read: Operation = async (context, id, reader) => {
  const handle = fileHandle(context, reader.bytes());
  const position = reader.uint64();
  const lengthBytes = Math.min(reader.uint32(), maxDataBytes);
  if (handle === undefined) return noSuchHandle(id);
  const packet = context.answerBuffer(dataHeadBytes + lengthBytes);
  const dataBytes = await handle.file.read(packet.subarray(dataHeadBytes), position);
  if (dataBytes === 0 && lengthBytes > 0) return statusPacket(id, Status.eof, 'End of file.');
  return dataPacket(packet, id, dataBytes);
};

export const write: Operation = async (context, id, reader) => {
  const handle = fileHandle(context, reader.bytes());
  const position = reader.uint64();
  const data = reader.bytes();
  if (handle === undefined) return noSuchHandle(id);
  const written = handle.lastWrite.then(() => handle.file.write(data, position));
  handle.lastWrite = written.catch(() => undefined);
  await written;
  return done(id);
};

export const fstat: Operation = async (context, id, reader) => {
  const name = reader.bytes();
  const handle = context.handles.get(name);
  if (handle === undefined) return noSuchHandle(id);
  const entry =
    handle.kind === 'file'
      ? handle.file.stat()
      : await (await context.reading()).stat(context.path(Buffer.from(handle.path)));
  return attributesPacket(id, encodeAttributes(entry));
};

export const fsetstat: Operation = async (context, id, reader) => {
  const handle = fileHandle(context, reader.bytes());
  const change = readAttributes(reader);
  if (handle === undefined) return noSuchHandle(id);
  await handle.file.change(change);
  return done(id);
};

export const fsync: Operation = async (context, id, reader) => {
  const handle = fileHandle(context, reader.bytes());
  if (handle === undefined) return noSuchHandle(id);
  await handle.file.sync();
  return done(id);
};

export const fstatvfs: Operation = async (context, id, reader) => {
  const handle = context.handles.get(reader.bytes());
  if (handle === undefined) return noSuchHandle(id);
  const files = await context.reading();
  const space = await files.space(context.path(Buffer.from(handle.path)));
  return numbersPacket(id, spaceNumbers(space));
};

function fileHandle(context: SftpContext, name: Buffer): FileHandle | undefined {
  const handle = context.handles.get(name);
  return handle?.kind === 'file' ? handle : undefined;
}
