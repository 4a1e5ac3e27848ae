import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import type {
  FileWriter,
  SandboxFiles,
  WriteFileOptions,
  WritePrecondition,
} from '@sandport/driver';
import {
  type BatchFile,
  maxBatchFileBytes,
  parseGuestPath,
  SandportFault,
} from '@sandport/protocol';
import { preconditionOf } from './precondition.ts';
import { timeNsOf } from './time-text.ts';

/** Up to here a file is written at once: a stream for each of many small files takes longer. */
const smallFileBytes = 64 * 1024;

/**
 * Writes one file of a batch up to the moment in which it would appear. The caller commits or
 * aborts. @throws SandportFault
 */
export async function beginBatchFile(files: SandboxFiles, file: BatchFile): Promise<FileWriter> {
  const contents = contentsOf(file);
  const writer = await files.write(parseGuestPath(file.path), writeOptionsOf(file));
  try {
    if (contents.length <= smallFileBytes) writer.writeSmall(contents);
    else {
      writer.stream.end(contents);
      await finished(writer.stream);
    }
    return writer;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** The condition under which the file may be written; undefined when it has none. */
export const conditionOf = (file: BatchFile): WritePrecondition | undefined =>
  preconditionOf({ ifMatch: file.if_match, ifNoneMatch: file.if_none_match });

function writeOptionsOf(file: BatchFile): WriteFileOptions {
  const { mode, uid, gid, mtime } = file;
  const precondition = conditionOf(file);
  return {
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
    ...(uid === undefined && gid === undefined
      ? {}
      : {
          owner: {
            ...(uid === undefined ? {} : { uid }),
            ...(gid === undefined ? {} : { gid }),
          },
        }),
    ...(mtime === undefined ? {} : { mtimeNs: timeNsOf(mtime) }),
    ...(precondition === undefined ? {} : { precondition }),
  };
}

function contentsOf({ path, content, content_base64: base64, sha256 }: BatchFile): Buffer {
  if ((content === undefined) === (base64 === undefined))
    throw new SandportFault('invalid_request', 'Send one of `content` and `content_base64`.', {
      path,
      field: 'content',
    });
  const contents = Buffer.from(content ?? base64 ?? '', base64 === undefined ? 'utf8' : 'base64');
  if (contents.length > maxBatchFileBytes)
    throw new SandportFault(
      'payload_too_large',
      `${path} has more than ${maxBatchFileBytes} bytes; write it on its own.`,
      { path, limit_bytes: maxBatchFileBytes },
    );
  const received = sha256 === undefined ? undefined : createHash('sha256').update(contents);
  const digest = received?.digest('hex');
  if (digest !== sha256)
    throw new SandportFault(
      'digest_mismatch',
      `The bytes for ${path} do not have the digest that was sent with them; nothing was written.`,
      { path, expected: sha256, received: digest },
    );
  return contents;
}
