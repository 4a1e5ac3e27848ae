import type { Client, OnProgress } from 'sandport';
import { type CopyCounts, nothingCopied } from './copy-result.ts';
import type { Holder } from './holders.ts';

/** A directory of a sandbox or a volume. */
export interface DirectoryEnd {
  readonly holder: Holder;
  readonly path: string;
}

export interface StreamDirectoryOptions {
  /** Globs of what is left out. */
  readonly exclude: readonly string[];
  readonly compression: 'none' | 'gzip';
  /** Most bytes and entries that are taken. @default no limit, and 1,000,000 */
  readonly maxBytes?: number | undefined;
  readonly maxEntries?: number | undefined;
  readonly signal: AbortSignal;
  /** Sees the bytes of the archive. */
  readonly onProgress: OnProgress | undefined;
}

/** Copies a directory of one sandbox or volume into one of another, as one archive that streams through. */
export async function streamDirectory(
  client: Client,
  from: DirectoryEnd,
  to: DirectoryEnd,
  options: StreamDirectoryOptions,
): Promise<CopyCounts> {
  const { exclude, compression, maxBytes, maxEntries, signal, onProgress } = options;
  const format = compression === 'gzip' ? 'tar.gz' : 'tar';
  const archive = await client.transport.send({
    method: 'GET',
    path: from.holder.archive.path,
    query: { ...from.holder.archive.query, path: from.path, format, exclude },
    signal,
  });
  let bytes = 0;
  const upload: Request = {
    method: 'PUT',
    path: to.holder.archive.path,
    query: {
      ...to.holder.archive.query,
      path: to.path,
      max_bytes: maxBytes,
      max_entries: maxEntries,
    },
    headers: { 'content-type': 'application/x-tar' },
    body: {
      kind: 'stream',
      open: () => archive,
      replayable: false,
      onChunk(chunk) {
        bytes += chunk.length;
        onProgress?.({ bytes });
      },
    },
    signal,
  };
  try {
    const answer = await client.transport.send(upload);
    return await client.transport.readJson(answer, { parse: countsOf }, upload);
  } finally {
    archive.destroy();
  }
}

type Request = Parameters<Client['transport']['send']>[0];

/** Reads the answer to an archive. */
function countsOf(value: unknown): CopyCounts {
  const count = (name: string) => {
    const number: unknown = Reflect.get(Object(value), name);
    if (typeof number !== 'number') throw new TypeError(`The answer has no ${name}.`);
    return number;
  };
  return {
    ...nothingCopied,
    files: count('files'),
    directories: count('directories'),
    symlinks: count('symlinks'),
    hardLinks: count('hard_links'),
    bytes: count('bytes'),
  };
}
