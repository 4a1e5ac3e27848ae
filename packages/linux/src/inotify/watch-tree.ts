import { closeSync } from 'node:fs';
import type { ByteString } from '../ffi/byte-string.ts';
import {
  IN_ATTRIB,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_EXCL_UNLINK,
  IN_MODIFY,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONLYDIR,
  inotifyAddWatch,
  inotifyRemoveWatch,
} from '../ffi/inotify-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';
import { statDescriptor, statEntry } from '../rooted-fs/attributes/entry.ts';
import { type EntryType, identityOf } from '../rooted-fs/attributes/file-stat.ts';
import { openDirectoryBeneath } from '../rooted-fs/paths/open-beneath.ts';
import { WatchBudget } from './watch-budget.ts';

/** A directory that is watched. */
export interface WatchNode {
  readonly watch: number;
  /** Which directory it is, wherever it goes. */
  readonly identity: string;
  /** Undefined of the directory that the watcher is for. */
  parent: WatchNode | undefined;
  name: ByteString;
  readonly children: Map<ByteString, WatchNode>;
  /**
   * Names that a scan has told of, until the kernel's records from before it are read; not all where
   * they are very many, which then are told of twice.
   */
  told: Set<ByteString> | undefined;
  /** The last walk over the whole tree that met it. */
  round: number;
  /** How often it was not where it was thought to be. */
  misses: number;
  isGone: boolean;
}

/** What is at a name, compared with what the tree had there. */
export type Attached =
  /** The directory that the tree has there. */
  | { readonly state: 'here'; readonly node: WatchNode }
  /** One that the tree had at the path `from`. */
  | { readonly state: 'moved'; readonly node: WatchNode; readonly from: ByteString }
  /** One that was not watched before. `replaced`: the tree had another one there. */
  | { readonly state: 'new'; readonly node: WatchNode; readonly replaced: boolean }
  | {
      readonly state: /** No directory. */
        | 'absent'
        /** One that is not to be watched. */
        | 'unwatched'
        /** The kernel or we have no more watches, or its path is too long. */
        | 'full'
        /** The directory above it is not where the tree has it: records are still to be read. */
        | 'lost'
        /** It lies below itself, as far as the tree knows. */
        | 'tangled';
    };

const MASK =
  IN_CREATE |
  IN_DELETE |
  IN_MOVED_FROM |
  IN_MOVED_TO |
  IN_MODIFY |
  IN_CLOSE_WRITE |
  IN_ATTRIB |
  IN_ONLYDIR |
  IN_EXCL_UNLINK;
/** A longer path below the watched directory cannot be opened in one call. */
const MAX_PATH_BYTES = 3900;
const DOT = '.' as ByteString; // ASCII.

export interface WatchTreeOptions {
  /** The kernel's queue; stays the caller's. */
  readonly queue: number;
  /** Descriptor of the directory to watch; stays the caller's. */
  readonly directory: number;
  /** Whether a directory, which is open, is to be watched. */
  readonly isWatched: (fd: number) => boolean;
}

/** The watched directories, as far as the events that were read tell where they are. */
export class WatchTree {
  readonly root: WatchNode;
  readonly #options: WatchTreeOptions;
  readonly #nodes = new Map<number, WatchNode>();
  readonly #budget = new WatchBudget();
  #open: { readonly node: WatchNode; readonly fd: number } | undefined;
  /** Number of the walk over the whole tree that is under way, or was the last. */
  round = 0;

  /** @throws SystemError ENOSPC */
  constructor(options: WatchTreeOptions) {
    this.#options = options;
    const watch = inotifyAddWatch(options.queue, options.directory, MASK);
    this.root = this.#newNode(watch, identityOf(statDescriptor(options.directory)));
  }

  find(watch: number): WatchNode | undefined {
    return this.#nodes.get(watch);
  }

  /**
   * Watches the directory that has this name at this moment, and puts it there, whether or not the
   * tree has it elsewhere: the kernel's number for it decides.
   * @throws SystemError EMFILE, ENOMEM
   */
  attach(parent: WatchNode, name: ByteString): Attached {
    const directory = this.#openOnce(parent);
    if (directory === undefined) return { state: 'lost' };
    const fd = openDirectoryBeneath(directory, name);
    if (fd === undefined) return { state: 'absent' };
    try {
      if (!this.#options.isWatched(fd)) return { state: 'unwatched' };
      if (this.pathOf(parent, name).length > MAX_PATH_BYTES) return { state: 'full' };
      const watch = inotifyAddWatch(this.#options.queue, fd, MASK);
      const known = this.#nodes.get(watch);
      if (known !== undefined) return this.#move(known, parent, name);
      if (!this.#budget.take()) {
        inotifyRemoveWatch(this.#options.queue, watch);
        return { state: 'full' };
      }
      const replaced = parent.children.has(name);
      const node = this.#newNode(watch, identityOf(statDescriptor(fd)));
      this.#place(node, parent, name);
      return { state: 'new', node, replaced };
    } catch (error) {
      if (errnoOf(error) === 'ENOSPC') return { state: 'full' };
      if (errnoOf(error) === 'ENOENT') return { state: 'absent' };
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** Watches a directory and all below it no longer. */
  drop(node: WatchNode): void {
    const pending = [node];
    for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
      if (each.isGone) continue;
      for (const child of each.children.values()) pending.push(child);
      each.isGone = true;
      this.#nodes.delete(each.watch);
      inotifyRemoveWatch(this.#options.queue, each.watch);
      if (each !== this.root) this.#budget.giveBack();
    }
    this.#unplace(node);
  }

  /** Forgets where directories are, for a walk over the whole tree that puts them in their place. */
  beginRound(): void {
    this.round++;
    for (const node of this.#nodes.values()) {
      node.children.clear();
      node.parent = undefined;
      node.misses = 0;
    }
  }

  /** Drops all that the walk has not met. */
  endRound(): void {
    for (const node of [...this.#nodes.values()]) {
      if (node.round !== this.round && node !== this.root) this.drop(node);
    }
  }

  /** Path below the watched directory; empty for that itself. */
  pathOf(node: WatchNode, name?: ByteString): ByteString {
    const names = name === undefined ? [] : [name];
    for (let each = node; each.parent !== undefined; each = each.parent) names.push(each.name);
    return names.toReversed().join('/') as ByteString; // Names are bytes without NUL.
  }

  /** Opens a watched directory, which the caller closes; undefined when it is not at its path. */
  open(node: WatchNode): number | undefined {
    const fd = this.#openBelow(node === this.root ? DOT : this.pathOf(node));
    if (fd === undefined || identityOf(statDescriptor(fd)) === node.identity) return fd;
    closeSync(fd);
    return undefined;
  }

  /** What has this name now. */
  typeOf(node: WatchNode, name: ByteString): EntryType | undefined {
    try {
      const directory = this.#openOnce(node);
      return directory === undefined ? undefined : statEntry(directory, name)?.type;
    } catch {
      return undefined; // No more descriptors: it just cannot be told.
    }
  }

  /** Closes what was kept open for the next question about the same directory. */
  closeOpen(): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  /** The kernel's watches end with its queue. */
  close(): void {
    this.closeOpen();
    this.#nodes.clear();
    this.#budget.close();
  }

  #newNode(watch: number, identity: string): WatchNode {
    const node: WatchNode = {
      watch,
      identity,
      parent: undefined,
      name: '' as ByteString,
      children: new Map(),
      told: undefined,
      round: this.round,
      misses: 0,
      isGone: false,
    };
    this.#nodes.set(watch, node);
    return node;
  }

  #move(node: WatchNode, parent: WatchNode, name: ByteString): Attached {
    const isPlaced = node.round === this.round;
    node.round = this.round;
    if (parent.children.get(name) === node) return { state: 'here', node };
    for (let each: WatchNode | undefined = parent; each !== undefined; each = each.parent) {
      if (each === node) return { state: 'tangled' };
    }
    const from = this.pathOf(node);
    this.#place(node, parent, name);
    return isPlaced ? { state: 'moved', node, from } : { state: 'here', node };
  }

  #place(node: WatchNode, parent: WatchNode, name: ByteString): void {
    this.#unplace(node);
    const previous = parent.children.get(name);
    node.parent = parent;
    node.name = name;
    parent.children.set(name, node);
    // What was there is gone, or will show up elsewhere.
    if (previous !== undefined) this.drop(previous);
  }

  #unplace(node: WatchNode): void {
    if (node.parent?.children.get(node.name) === node) node.parent.children.delete(node.name);
  }

  /** The same, kept open for the next question about the same directory. */
  #openOnce(node: WatchNode): number | undefined {
    if (this.#open?.node === node) return this.#open.fd;
    this.closeOpen();
    const fd = this.open(node);
    if (fd !== undefined) this.#open = { node, fd };
    return fd;
  }

  #openBelow(path: ByteString): number | undefined {
    try {
      return openDirectoryBeneath(this.#options.directory, path);
    } catch (error) {
      if (errnoOf(error) === 'ENAMETOOLONG') return undefined;
      throw error;
    }
  }
}
