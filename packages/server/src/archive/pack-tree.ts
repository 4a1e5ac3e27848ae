import type { OpenFile, SandboxFiles, WalkedEntry } from '@sandport/driver';
import { type GuestPath, SandportFault } from '@sandport/protocol';
import { tarEnd, tarHeader, tarPadding } from './tar-header.ts';

/** Files up to this length are read at once. */
const smallFileBytes = 64 * 1024;
/** What is sent at a time, about. */
const chunkBytes = 128 * 1024;
/** Names of files with several names that are remembered; further ones are sent as files. */
const maxLinkedFiles = 100_000;

export interface PackTreeOptions {
  /** True for what is left out; of a directory with all that is in it. Takes relative paths. */
  readonly exclude?: (relativePath: string) => boolean;
  readonly signal?: AbortSignal;
}

/**
 * All that is below a directory as a tar archive, in chunks. What vanishes meanwhile is left out, and
 * so are FIFOs, sockets and devices. Holes are sent as zeros.
 * @throws SandportFault; `path_busy` when a file changes while it is read
 */
export async function* packTree(
  files: SandboxFiles,
  path: GuestPath,
  { exclude = () => false, signal }: PackTreeOptions = {},
): AsyncGenerator<Buffer> {
  const firstNames = new Map<string, Buffer>();
  const chunks = new Chunks();
  const walk = files.walk(path, {
    enter: ({ relativePath }) => !exclude(relativePath),
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const walked of walk) {
    const { type } = walked.entry;
    if (type === 'other' || exclude(walked.relativePath)) continue;
    if (type !== 'file') chunks.add(headerOf(walked, { type, linkName: walked.targetBytes }));
    else {
      const { hardLinkKey } = walked;
      const linkName = hardLinkKey === undefined ? undefined : firstNames.get(hardLinkKey);
      if (linkName !== undefined) chunks.add(headerOf(walked, { type: 'link', linkName }));
      else {
        const file = walked.open();
        if (file === undefined) continue;
        if (hardLinkKey !== undefined && firstNames.size < maxLinkedFiles) {
          firstNames.set(hardLinkKey, walked.relativeBytes);
        }
        yield* packFile(chunks, walked, file);
      }
    }
    if (chunks.isFull) yield chunks.take();
  }
  chunks.add(tarEnd);
  yield chunks.take();
}

/** Puts a small file into the chunks; yields a larger one. Closes it. */
async function* packFile(
  chunks: Chunks,
  walked: WalkedEntry,
  file: OpenFile,
): AsyncGenerator<Buffer> {
  const { size, path } = file.entry;
  try {
    chunks.add(headerOf(walked, { type: 'file', size }));
    const small = file.readSmall(smallFileBytes);
    if (small === undefined) {
      yield chunks.take();
      for await (const chunk of file.stream()) yield chunk;
    } else chunks.add(small);
    checkUnchanged(file, path);
    chunks.add(tarPadding(size));
  } finally {
    await file.close();
  }
}

function checkUnchanged(file: OpenFile, path: string): void {
  if (file.currentEtag() === file.etag) return;
  throw new SandportFault('path_busy', `${path} changed while it was read.`, { path });
}

const headerOf = (
  { relativeBytes, entry, mtimeNs }: WalkedEntry,
  own: {
    readonly type: 'file' | 'directory' | 'symlink' | 'link';
    readonly size?: number;
    readonly linkName?: Buffer | undefined;
  },
): Buffer =>
  tarHeader({
    name: relativeBytes,
    mode: Number.parseInt(entry.permissions, 8),
    uid: entry.uid,
    gid: entry.gid,
    mtimeNs,
    size: 0,
    ...own,
  });

/** Collects many small pieces into chunks of a good length for sockets. */
class Chunks {
  #pieces: Buffer[] = [];
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes >= chunkBytes;
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  take(): Buffer {
    const chunk = Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#bytes = 0;
    return chunk;
  }
}
