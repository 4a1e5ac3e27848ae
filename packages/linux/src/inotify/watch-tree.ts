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
import { statEntry } from '../rooted-fs/entry.ts';
import type { EntryType } from '../rooted-fs/file-stat.ts';
import { openDirectoryBeneath } from '../rooted-fs/open-beneath.ts';
import { WatchBudget } from './watch-budget.ts';

/** A directory that is watched. */
export interface WatchNode {
  readonly watch: number;
  /** Undefined of the directory that the watcher is for. */
  parent: WatchNode | undefined;
  name: ByteString;
  readonly children: Map<ByteString, WatchNode>;
  /** Names that a scan has told of, until the kernel's news from before it are read. */
  told: Set<ByteString> | undefined;
  /** The last walk over the whole tree that met it. */
  round: number;
  isGone: boolean;
}

/** What came of watching one more directory. */
export type Attached =
  | { readonly node: WatchNode; readonly isNew: boolean }
  /** There is no such directory any more, or it is not one to watch. */
  | 'absent'
  /** The kernel or we have no more watches, or its path is too long. */
  | 'full';

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
    this.root = this.#newNode(watch, undefined, '' as ByteString);
  }

  find(watch: number): WatchNode | undefined {
    return this.#nodes.get(watch);
  }

  /**
   * Watches the directory that has this name at this moment, whether or not it is known under
   * another one: the kernel's number for it decides.
   * @throws SystemError EMFILE, ENOMEM
   */
  attach(parent: WatchNode, name: ByteString): Attached {
    const path = this.pathOf(parent, name);
    if (path.length > MAX_PATH_BYTES) return 'full';
    const fd = this.#openBelow(path);
    if (fd === undefined) return 'absent';
    try {
      if (!this.#options.isWatched(fd)) return 'absent';
      const watch = inotifyAddWatch(this.#options.queue, fd, MASK);
      const known = this.#nodes.get(watch);
      if (known !== undefined) {
        this.#place(known, parent, name);
        return { node: known, isNew: false };
      }
      if (!this.#budget.take()) {
        inotifyRemoveWatch(this.#options.queue, watch);
        return 'full';
      }
      return { node: this.#newNode(watch, parent, name), isNew: true };
    } catch (error) {
      if (errnoOf(error) === 'ENOSPC') return 'full';
      if (errnoOf(error) === 'ENOENT') return 'absent';
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** Watches a directory and all below it no longer. */
  drop(node: WatchNode): void {
    const pending = [node];
    for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
      pending.push(...each.children.values());
      inotifyRemoveWatch(this.#options.queue, each.watch);
      this.forget(each);
    }
  }

  /** The kernel has dropped the watch itself. */
  forget(node: WatchNode): void {
    if (node.isGone) return;
    node.isGone = true;
    this.#nodes.delete(node.watch);
    if (node !== this.root) this.#budget.giveBack();
    this.#unplace(node);
  }

  /** Drops all that the walk {@link round} has not met. */
  dropUnmet(): void {
    for (const node of [...this.#nodes.values()]) {
      if (!node.isGone && node.round !== this.round && node !== this.root) this.drop(node);
    }
  }

  /** Path below the watched directory; empty for that itself. */
  pathOf(node: WatchNode, name?: ByteString): ByteString {
    const names = name === undefined ? [] : [name];
    for (let each = node; each.parent !== undefined; each = each.parent) names.push(each.name);
    return names.toReversed().join('/') as ByteString; // Names are bytes without NUL.
  }

  /** Opens a watched directory, which the caller closes; undefined when it is not there any more. */
  open(node: WatchNode): number | undefined {
    return this.#openBelow(node.parent === undefined ? ('.' as ByteString) : this.pathOf(node));
  }

  /** What has this name now. Keeps the directory open until {@link closeOpen}. */
  typeOf(node: WatchNode, name: ByteString): EntryType | undefined {
    try {
      if (this.#open?.node !== node) {
        this.closeOpen();
        const fd = this.open(node);
        if (fd === undefined) return undefined;
        this.#open = { node, fd };
      }
      return statEntry(this.#open.fd, name)?.type;
    } catch {
      return undefined; // Too long a path, or no more descriptors: it just cannot be told.
    }
  }

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

  #newNode(watch: number, parent: WatchNode | undefined, name: ByteString): WatchNode {
    const { round } = this;
    const children = new Map<ByteString, WatchNode>();
    const node = { watch, parent, name, children, told: undefined, round, isGone: false };
    this.#nodes.set(watch, node);
    if (parent !== undefined) this.#place(node, parent, name);
    return node;
  }

  /** Puts a node where its directory is, unless that would make it a part of itself. */
  #place(node: WatchNode, parent: WatchNode, name: ByteString): void {
    node.round = this.round;
    if (node === this.root) return;
    for (let each: WatchNode | undefined = parent; each !== undefined; each = each.parent) {
      if (each === node) return;
    }
    this.#unplace(node);
    const previous = parent.children.get(name);
    node.parent = parent;
    node.name = name;
    parent.children.set(name, node);
    // What was there is gone, or will show up elsewhere.
    if (previous !== undefined && previous !== node) this.drop(previous);
  }

  #unplace(node: WatchNode): void {
    if (node.parent?.children.get(node.name) === node) node.parent.children.delete(node.name);
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
