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
import type { EntryType } from '../rooted-fs/file-stat.ts';
import type { ScannedEntry } from '../rooted-fs/scan-directory.ts';
import { isTemporaryName } from '../rooted-fs/temporary-file.ts';
import type { EventQueue } from './event-queue.ts';
import type { EventRecord } from './event-records.ts';
import type { WatchNode, WatchTree } from './watch-tree.ts';

/** The first half of a rename, until the second one is read. */
interface Departure {
  readonly node: WatchNode;
  readonly name: ByteString;
  readonly isDirectory: boolean;
  /** Number of the batch that it came in. */
  readonly batch: number;
}

interface Rename {
  readonly from: string;
  readonly to: string;
}

/** Turns the kernel's records, one after the other, into what happened to paths. */
export class EventReader {
  /** New directories whose entries are still to be told of. */
  readonly unscanned: WatchNode[] = [];
  /** Some directories are not watched, and nobody was told yet. */
  isIncomplete = false;
  readonly #tree: WatchTree;
  readonly #events: EventQueue;
  readonly #recursive: boolean;
  readonly #departures = new Map<number, Departure>();
  /** What was created or modified in this batch: once is enough. */
  readonly #fresh = new Set<string>();
  readonly #told = new Set<WatchNode>();
  #batch = 0;
  #lastRename: Rename | undefined;

  constructor(tree: WatchTree, events: EventQueue, recursive: boolean) {
    this.#tree = tree;
    this.#events = events;
    this.#recursive = recursive;
  }

  beginBatch(): void {
    this.#batch++;
    this.#fresh.clear();
    this.#lastRename = undefined;
  }

  read({ watch, mask, cookie, name }: EventRecord): void {
    const node = this.#tree.find(watch);
    if (node === undefined || name === '') return;
    const isDirectory = (mask & IN_ISDIR) !== 0;
    const departure = (mask & IN_MOVED_TO) === 0 ? undefined : this.#departures.get(cookie);
    if (departure !== undefined) this.#departures.delete(cookie);
    this.#settleDeparturesOf(node, name);
    if (departure !== undefined) this.#renamed(departure, node, name);
    else if ((mask & IN_MOVED_FROM) !== 0) {
      this.#departures.set(cookie, { node, name, isDirectory, batch: this.#batch });
    } else if (isTemporaryName(name)) return;
    else if ((mask & (IN_CREATE | IN_MOVED_TO)) !== 0) this.#created(node, name, isDirectory);
    else if ((mask & IN_DELETE) !== 0) this.#removed(node, name, isDirectory);
    else if ((mask & (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB)) !== 0) {
      this.#modified(node, name, isDirectory);
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
      this.#depart(departure);
    }
    if (isEmpty) {
      for (const node of this.#told) node.told = undefined;
      this.#told.clear();
    }
    this.#tree.closeOpen();
  }

  /** An entry of a new directory: told, unless the kernel's record of it came first. */
  found(node: WatchNode, { name, type }: ScannedEntry): void {
    node.told ??= new Set();
    node.told.add(name);
    this.#told.add(node);
    this.#push('created', node, name, type);
  }

  /** Forgets what it waits for: the whole tree is looked at anew. */
  reset(): void {
    this.#departures.clear();
    this.unscanned.length = 0;
  }

  #created(node: WatchNode, name: ByteString, isDirectory: boolean): void {
    const isTold = node.told?.delete(name) === true;
    if (isDirectory) this.#attach(node, name);
    if (isTold) return;
    this.#fresh.add(keyOf(node, name));
    this.#push('created', node, name, this.#typeOf(node, name, isDirectory));
  }

  #modified(node: WatchNode, name: ByteString, isDirectory: boolean): void {
    const key = keyOf(node, name);
    if (this.#fresh.has(key)) return;
    const type = this.#typeOf(node, name, isDirectory);
    // What the kernel calls a file that has no name yet.
    if (type === undefined && /^#\d+$/.test(name)) return;
    this.#fresh.add(key);
    this.#push('modified', node, name, type);
  }

  #removed(node: WatchNode, name: ByteString, isDirectory: boolean): void {
    node.told?.delete(name);
    this.#fresh.delete(keyOf(node, name));
    const child = node.children.get(name);
    if (isDirectory && child !== undefined) this.#tree.drop(child);
    this.#push('removed', node, name, isDirectory ? 'directory' : undefined);
  }

  #renamed(departure: Departure, node: WatchNode, name: ByteString): void {
    const { isDirectory } = departure;
    if (isTemporaryName(departure.name)) {
      // A file or directory that was made aside takes its place.
      if (isTemporaryName(name)) return;
      if (isDirectory) this.#created(node, name, true);
      else this.#modified(node, name, false);
      return;
    }
    if (isTemporaryName(name)) {
      this.#depart(departure);
      return;
    }
    departure.node.told?.delete(departure.name);
    this.#fresh.delete(keyOf(departure.node, departure.name));
    const from = this.#pathOf(departure.node, departure.name);
    if (isDirectory) this.#moveNode(departure, node, name);
    const path = this.#pathOf(node, name);
    const isExchange = this.#lastRename?.from === path && this.#lastRename.to === from;
    this.#lastRename = { from: from, to: path };
    node.told?.delete(name);
    this.#events.push({
      kind: 'renamed',
      path,
      from,
      type: this.#typeOf(node, name, isDirectory),
    });
    // Two names that changed places look like a move there and back.
    if (isExchange && this.#tree.typeOf(departure.node, departure.name) !== undefined)
      this.#events.push({ kind: 'resync', reason: 'overflow' });
  }

  /** Puts a renamed directory where it is now. */
  #moveNode(departure: Departure, node: WatchNode, name: ByteString): void {
    const before = departure.node.children.get(departure.name);
    const isThere = this.#attach(node, name);
    if (!isThere && before !== undefined) this.#tree.drop(before);
  }

  #depart({ node, name, isDirectory }: Departure): void {
    if (node.isGone || isTemporaryName(name)) return;
    this.#removed(node, name, isDirectory);
  }

  #settleDeparturesOf(node: WatchNode, name: ByteString): void {
    for (const [cookie, departure] of this.#departures) {
      if (departure.node !== node || departure.name !== name) continue;
      this.#departures.delete(cookie);
      this.#depart(departure);
    }
  }

  /** True when the directory is there and watched. */
  #attach(node: WatchNode, name: ByteString): boolean {
    if (!this.#recursive) return false;
    const attached = this.#tree.attach(node, name);
    if (attached === 'full') this.isIncomplete = true;
    if (attached === 'full' || attached === 'absent') return false;
    if (attached.isNew) this.unscanned.push(attached.node);
    return true;
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
