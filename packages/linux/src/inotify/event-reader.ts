import type { ByteString } from '../ffi/byte-string.ts';
import { textOf } from '../ffi/byte-string.ts';
import {
  IN_ATTRIB,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_ISDIR,
  IN_MODIFY,
  IN_MOVED_FROM,
  IN_MOVED_TO,
} from '../ffi/inotify-calls.ts';
import type { EntryType } from '../rooted-fs/attributes/file-stat.ts';
import type { ScannedEntry } from '../rooted-fs/walk/scan-directory.ts';
import { isTemporaryName } from '../rooted-fs/write/temporary-file.ts';
import type { EventQueue } from './event-queue.ts';
import type { EventRecord } from './event-records.ts';
import { watchLimits } from './watch-budget.ts';
import type { WatchNode, WatchTree } from './watch-tree.ts';

/** The first half of a rename, until the second one is read. */
interface Departure {
  readonly node: WatchNode;
  readonly name: ByteString;
  readonly isDirectory: boolean;
  /** Number of the batch that it came in. */
  readonly batch: number;
}

/** A directory that could not be reached: the whole of it, or one name in it, is to be looked at. */
interface Postponed {
  readonly node: WatchNode;
  readonly name: ByteString | undefined;
}

/** How often a directory may not be where it was, each time with no record left to read. */
const MAX_MISSES = 5;

/**
 * Turns the kernel's records, one after the other, into what happened to paths. Records of files are
 * taken as they are. Those of directories only say where to look: what the kernel finds there is told
 * as a difference to the tree, so that the tree and what was told never differ, however late the
 * records are read.
 */
export class EventReader {
  /** New directories whose entries are still to be told of. */
  readonly unscanned: WatchNode[] = [];
  /** Some directories are not watched, and nobody was told yet. */
  isIncomplete = false;
  /** Where everything is can only be told by a look at the whole tree. */
  isConfused = false;
  readonly #tree: WatchTree;
  readonly #events: EventQueue;
  readonly #recursive: boolean;
  readonly #departures = new Map<number, Departure>();
  /** What was created or modified in this batch: once is enough. */
  readonly #fresh = new Set<string>();
  readonly #told = new Set<WatchNode>();
  #toldNames = 0;
  #postponed: Postponed[] = [];
  #batch = 0;
  /** Of a file, when it was the last thing that happened. */
  #lastRename: { readonly from: string; readonly to: string } | undefined;

  /** Where the directory was that was looked at last, when it was elsewhere. */
  #lastMove: string | undefined;

  constructor(tree: WatchTree, events: EventQueue, recursive: boolean) {
    this.#tree = tree;
    this.#events = events;
    this.#recursive = recursive;
  }

  beginBatch(): void {
    this.#batch++;
    this.#fresh.clear();
  }

  read({ watch, mask, cookie, name }: EventRecord): void {
    const node = this.#tree.find(watch);
    if (node === undefined || name === '') return;
    const isDirectory = (mask & IN_ISDIR) !== 0;
    const departure = (mask & IN_MOVED_TO) === 0 ? undefined : this.#departures.get(cookie);
    if (departure !== undefined) this.#departures.delete(cookie);
    this.#settleDeparturesOf(node, name);
    if ((mask & IN_MOVED_FROM) !== 0) {
      this.#departures.set(cookie, { node, name, isDirectory, batch: this.#batch });
    } else if (departure !== undefined) {
      this.#renamed(departure, node, name);
    } else {
      this.#lastRename = undefined;
      if (!isTemporaryName(name)) this.#happened(mask, node, name, isDirectory);
    }
  }

  /**
   * Half renames whose other half did not come led out of the watched tree.
   * @param isEmpty whether the kernel's queue was read to its end
   */
  endBatch(isEmpty: boolean): void {
    for (const [cookie, departure] of this.#departures) {
      if (departure.batch === this.#batch) continue;
      this.#departures.delete(cookie);
      this.#departed(departure);
    }
    if (isEmpty) {
      for (const node of this.#told) node.told = undefined;
      this.#told.clear();
      this.#toldNames = 0;
      for (const each of this.#postponed.splice(0)) this.#retry(each);
    }
  }

  /** An entry of a new directory. @returns the directory that it is, when that is new too */
  found(node: WatchNode, { name, type }: ScannedEntry): WatchNode | undefined {
    // The scan goes on in it by itself.
    if (type === 'directory' && this.#settle(node, name)) return this.unscanned.pop();
    if (node.children.has(name)) return undefined; // It became a directory, which was told of.
    if (this.#toldNames < watchLimits.told) {
      this.#toldNames++;
      node.told ??= new Set();
      node.told.add(name);
      this.#told.add(node);
    }
    this.#push('created', node, name, type);
    return undefined;
  }

  /** A new directory could not be reached. */
  lost(node: WatchNode): void {
    this.#postpone({ node, name: undefined });
  }

  /** Forgets what it waits for: the whole tree is looked at anew. */
  reset(): void {
    this.#departures.clear();
    this.#postponed = [];
    this.unscanned.length = 0;
    this.isConfused = false;
  }

  #happened(mask: number, node: WatchNode, name: ByteString, isDirectory: boolean): void {
    if ((mask & (IN_CREATE | IN_MOVED_TO)) !== 0) this.#created(node, name, isDirectory);
    else if ((mask & IN_DELETE) !== 0) this.#removed(node, name, isDirectory);
    else if ((mask & (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB)) !== 0) {
      this.#modified(node, name, isDirectory);
    }
  }

  #created(node: WatchNode, name: ByteString, isDirectory: boolean): void {
    if (isDirectory && this.#settle(node, name)) return;
    const isTold = node.told?.delete(name) === true;
    if (isTold || node.children.has(name)) return;
    this.#fresh.add(keyOf(node, name));
    this.#push('created', node, name, this.#typeOf(node, name, isDirectory));
  }

  #modified(node: WatchNode, name: ByteString, isDirectory: boolean): void {
    const key = keyOf(node, name);
    if (this.#fresh.has(key) || (!isDirectory && node.children.has(name))) return;
    const type = this.#typeOf(node, name, isDirectory && node.children.has(name));
    if (isDirectory && type !== 'directory') return;
    // What the kernel calls a file that has no name yet.
    if (type === undefined && /^#\d+$/.test(name)) return;
    this.#fresh.add(key);
    this.#push('modified', node, name, type);
  }

  #removed(node: WatchNode, name: ByteString, isDirectory: boolean): void {
    this.#fresh.delete(keyOf(node, name));
    if (isDirectory && node.children.has(name) && this.#settle(node, name)) return;
    if (node.children.has(name)) return; // A directory has the name by now, which was told of.
    node.told?.delete(name);
    this.#push('removed', node, name, isDirectory ? 'directory' : undefined);
  }

  #renamed(departure: Departure, node: WatchNode, name: ByteString): void {
    const { isDirectory } = departure;
    if (isTemporaryName(departure.name)) {
      // What was made aside takes its place.
      if (isTemporaryName(name)) return;
      if (isDirectory) this.#created(node, name, true);
      else this.#modified(node, name, false);
    } else if (isTemporaryName(name)) {
      this.#departed(departure);
    } else if (isDirectory && this.#settle(node, name)) {
      if (!departure.node.isGone) this.#settleSource(departure);
    } else this.#renamedEntry(departure, node, name);
  }

  /** A directory was renamed: what is at its old name? */
  #settleSource({ node, name }: Departure): void {
    const isTold = this.#lastMove === this.#pathOf(node, name);
    if (node.children.has(name)) this.#settle(node, name);
    else {
      if (!isTold) this.#removed(node, name, true);
      this.#tellSuccessor(node, name);
    }
  }

  /**
   * Something has lost its name: what has it now may have come before that, by changing places with
   * it.
   */
  #tellSuccessor(node: WatchNode, name: ByteString): void {
    const type = this.#tree.typeOf(node, name);
    if (type !== undefined) this.#created(node, name, type === 'directory');
  }

  /** Of a file, or of a directory that is not watched. */
  #renamedEntry(departure: Departure, node: WatchNode, name: ByteString): void {
    const from = this.#pathOf(departure.node, departure.name);
    const path = this.#pathOf(node, name);
    const isBack = this.#lastRename?.from === path && this.#lastRename.to === from;
    this.#lastRename = { from, to: path };
    this.#fresh.delete(keyOf(departure.node, departure.name));
    departure.node.told?.delete(departure.name);
    node.told?.delete(name);
    const hasSource = !departure.node.isGone && !departure.node.children.has(departure.name);
    if (node.children.has(name)) {
      if (hasSource) this.#push('removed', departure.node, departure.name, undefined);
      return;
    }
    const type = this.#typeOf(node, name, departure.isDirectory);
    // Two files that changed places look like a move there and back.
    const isExchange =
      isBack && hasSource && this.#tree.typeOf(departure.node, departure.name) !== undefined;
    if (hasSource && !isExchange) this.#events.push({ kind: 'renamed', path, from, type });
    else this.#push('created', node, name, type);
  }

  #departed({ node, name, isDirectory }: Departure): void {
    if (node.isGone || isTemporaryName(name)) return;
    this.#removed(node, name, isDirectory);
    if (!node.children.has(name)) this.#tellSuccessor(node, name);
  }

  #settleDeparturesOf(node: WatchNode, name: ByteString): void {
    for (const [cookie, departure] of this.#departures) {
      if (departure.node !== node || departure.name !== name) continue;
      this.#departures.delete(cookie);
      this.#departed(departure);
    }
  }

  /**
   * Brings the tree, and what was told, in line with what has this name.
   * @returns false when there is a directory that is not watched
   */
  #settle(node: WatchNode, name: ByteString): boolean {
    if (!this.#recursive) return false;
    this.#lastMove = undefined;
    const before = node.children.get(name);
    const attached = this.#tree.attach(node, name);
    const { state } = attached;
    if (state === 'moved') {
      const path = this.#pathOf(node, name);
      const from = textOf(attached.from);
      this.#events.push({ kind: 'renamed', path, from, type: 'directory' });
      this.#lastMove = from;
    } else if (state === 'new') {
      if (attached.replaced) this.#push('removed', node, name, 'directory');
      this.#push('created', node, name, 'directory');
      this.unscanned.push(attached.node);
    } else if (state === 'lost') this.#postpone({ node, name });
    else if (state === 'tangled') this.isConfused = true;
    else if (state !== 'here') {
      if (state === 'full') this.isIncomplete = true;
      if (before !== undefined) {
        this.#tree.drop(before);
        this.#push('removed', node, name, 'directory');
        if (state === 'absent') this.#tellSuccessor(node, name);
      }
      return state === 'absent';
    }
    return true;
  }

  #postpone(what: Postponed): void {
    if (++what.node.misses <= MAX_MISSES) this.#postponed.push(what);
    else this.isConfused = true;
  }

  #retry({ node, name }: Postponed): void {
    if (node.isGone) return;
    if (name === undefined) this.unscanned.push(node);
    else this.#settle(node, name);
  }

  #typeOf(node: WatchNode, name: ByteString, isDirectory: boolean): EntryType | undefined {
    return isDirectory ? 'directory' : this.#tree.typeOf(node, name);
  }

  #push(
    kind: 'created' | 'modified' | 'removed',
    node: WatchNode,
    name: ByteString,
    type: EntryType | undefined,
  ): void {
    this.#events.push({ kind, path: this.#pathOf(node, name), type });
  }

  #pathOf(node: WatchNode, name: ByteString): string {
    return textOf(this.#tree.pathOf(node, name));
  }
}

const keyOf = (node: WatchNode, name: ByteString): string => `${node.watch}/${name}`;
