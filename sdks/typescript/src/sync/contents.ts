import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { LocalFileError } from '../errors/client-errors.ts';
import { reason } from '../filesystem/write/local-source.ts';
import type { SyncEntry } from './sync-entry.ts';

/**
 * How two files of the same length are compared: by the time of their last change, or by the
 * SHA-256 that the sandbox's side has.
 */
export function contentsComparison(root: string, checksum: boolean | undefined) {
  return (source: SyncEntry, target: SyncEntry): boolean | Promise<boolean> => {
    if (checksum !== true) return source.mtimeMs === target.mtimeMs;
    return sameDigest(`${root}/${source.path}`, source.sha256 ?? target.sha256);
  };
}

async function sameDigest(path: string, sha256: string | undefined): Promise<boolean> {
  if (sha256 === undefined) return false;
  const hash = createHash('sha256');
  try {
    const stream = createReadStream(path, { highWaterMark: 1024 * 1024 });
    for await (const chunk of stream as AsyncIterable<Buffer>) hash.update(chunk);
  } catch (cause) {
    throw new LocalFileError(
      `The local file ${path} cannot be read: ${reason(cause)}.`,
      path,
      cause,
    );
  }
  return hash.digest('hex') === sha256;
}
