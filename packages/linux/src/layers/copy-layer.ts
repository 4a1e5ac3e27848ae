import { closeSync, mkdirSync } from 'node:fs';
import { type ByteString, hostPath } from '../ffi/byte-string.ts';
import { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_RDONLY } from '../ffi/constants.ts';
import { mkdirat, openEntry, openat } from '../ffi/file-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';
import { statDescriptor } from '../rooted-fs/attributes/entry.ts';
import { identityOf } from '../rooted-fs/attributes/file-stat.ts';
import { removeTree } from '../rooted-fs/remove/remove-host-tree.ts';
import { openChild } from '../rooted-fs/remove/remove-tree.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs/rooted-fs-error.ts';
import { scanDirectory } from '../rooted-fs/walk/scan-directory.ts';
import { TimeSlice } from '../time-slice.ts';
import { type LayerCopyContext, copyLayerEntry, dress } from './copy-layer-entry.ts';

export interface CopyLayerOptions {
  /** Trusted path of the layer. What is in it is a guest's. */
  readonly from: string;
  /** Trusted path of an empty directory that nobody else reaches. */
  readonly to: string;
  /** Name for a directory beside `to`, gone again at the end; must be free. */
  readonly linksName: string;
  /** Id in the layer that becomes 0 in the copy; the ids above it follow. @default 0 */
  readonly idBase?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** So many directories are kept open, from the deepest one up. */
const KEPT_OPEN = 32;

const PARENT = '..' as ByteString; // ASCII.

interface Level {
  /** Descriptors of the directory in both trees; undefined while they are closed. */
  open: { readonly source: number; readonly target: number } | undefined;
  readonly sourceIdentity: string;
  readonly targetIdentity: string;
  readonly directories: ByteString[];
}

/**
 * Copies an overlay's upper layer as it is: entries of all types, whiteouts among them, with owner,
 * mode, time of the last change, extended attributes (the marks of overlay too), hard links within
 * the layer, and holes in files. Blocks are shared where the file system can. Works by descriptors
 * only, while others change the tree: names that vanish are left out. Memory and open descriptors do
 * not grow with the depth of the tree, or with the number of its files.
 * On an error an incomplete copy is left in `to`.
 * @throws RootedFsError `disk_full`, `busy` when deep directories are moved meanwhile; AbortError
 */
export async function copyLayer(options: CopyLayerOptions): Promise<void> {
  const copy = new LayerCopy(options);
  try {
    await copy.run();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw rootedFsErrorOf(error, options.to);
  } finally {
    copy.close();
    await copy.removeLinks();
  }
}

class LayerCopy {
  readonly #options: CopyLayerOptions;
  readonly #levels: Level[] = [];
  readonly #context: LayerCopyContext;
  readonly #slice = new TimeSlice();
  #links: number | undefined;

  constructor(options: CopyLayerOptions) {
    this.#options = options;
    const { idBase = 0, signal } = options;
    this.#context = { links: () => this.#openLinks(), idBase, signal };
  }

  async run(): Promise<void> {
    const { from, to } = this.#options;
    const source = openat(AT_FDCWD, hostPath(from), O_RDONLY | O_DIRECTORY);
    await this.#enter(source, () => openat(AT_FDCWD, hostPath(to), O_RDONLY | O_DIRECTORY));
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      await this.#breathe();
      const name = level.directories.pop();
      if (name === undefined) this.#leave();
      else await this.#enterChild(level, name);
    }
  }

  close(): void {
    for (const level of this.#levels.splice(0)) closeLevel(level);
    if (this.#links !== undefined) closeSync(this.#links);
  }

  async removeLinks(): Promise<void> {
    if (this.#links === undefined) return;
    await removeTree(parentOf(this.#options.to), this.#options.linksName);
  }

  async #enterChild({ open }: Level, name: ByteString): Promise<void> {
    if (open === undefined) throw new Error('the deepest directory is always open');
    const source = openChild(open.source, name);
    if (source === undefined) return;
    await this.#enter(source, () => {
      mkdirat(open.target, name, 0o700);
      return openat(open.target, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    });
  }

  /** Copies all of a directory but the directories in it. Takes over the source. */
  async #enter(source: number, openTarget: () => number): Promise<void> {
    let target: number;
    try {
      target = openTarget();
    } catch (error) {
      closeSync(source);
      throw error;
    }
    const open = { source, target };
    const level: Level = {
      open,
      sourceIdentity: identityOf(statDescriptor(source)),
      targetIdentity: identityOf(statDescriptor(target)),
      directories: [],
    };
    this.#levels.push(level);
    const above = this.#levels.at(-1 - KEPT_OPEN);
    // The outermost one stays open: what is above it is none of our business.
    if (above !== undefined && above !== this.#levels[0]) closeLevel(above);
    for await (const batch of namesIn(source)) {
      for (const name of batch) {
        const handle = openEntry(source, name);
        if (handle === undefined) continue;
        try {
          const stat = statDescriptor(handle);
          if (stat.type === 'directory') level.directories.push(name);
          else await copyLayerEntry(this.#context, open, { name, handle, stat });
        } finally {
          closeSync(handle);
        }
        await this.#breathe();
      }
    }
  }

  /** Finishes a directory, and opens the one above it again where that was closed. */
  #leave(): void {
    const level = this.#levels.at(-1);
    const parent = this.#levels.at(-2);
    if (level?.open === undefined) throw new Error('the deepest directory is always open');
    const { source, target } = level.open;
    dress(this.#context, target, source, statDescriptor(source));
    if (parent !== undefined && parent.open === undefined) {
      const parentSource = reopenParent(source, parent.sourceIdentity);
      try {
        parent.open = {
          source: parentSource,
          target: reopenParent(target, parent.targetIdentity),
        };
      } catch (error) {
        closeSync(parentSource);
        throw error;
      }
    }
    this.#levels.pop();
    closeLevel(level);
  }

  #openLinks(): number {
    if (this.#links !== undefined) return this.#links;
    const path = `${parentOf(this.#options.to)}/${this.#options.linksName}`;
    mkdirSync(path, { mode: 0o700 });
    this.#links = openat(AT_FDCWD, hostPath(path), O_RDONLY | O_DIRECTORY);
    return this.#links;
  }

  async #breathe(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    if (this.#slice.isOver) await this.#slice.yield();
  }
}

/** Names in a directory; none any more once it is removed. */
async function* namesIn(directory: number): AsyncGenerator<ByteString[]> {
  try {
    yield* scanDirectory(directory);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || statDescriptor(directory).nlink > 0) throw error;
  }
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/**
 * The directory above an open one, if it is still the one that the walk came from.
 * @throws Refusal `busy`
 */
function reopenParent(fd: number, identity: string): number {
  const parent = openat(fd, PARENT, O_RDONLY | O_DIRECTORY);
  if (identityOf(statDescriptor(parent)) === identity) return parent;
  closeSync(parent);
  throw new Refusal('busy', { reason: 'directories are moved while they are copied' });
}

function closeLevel(level: Level): void {
  if (level.open === undefined) return;
  closeSync(level.open.source);
  closeSync(level.open.target);
  level.open = undefined;
}
