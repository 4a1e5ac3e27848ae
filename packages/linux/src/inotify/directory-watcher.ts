import { closeSync } from 'node:fs';
import type { ByteString } from '../ffi/byte-string.ts';
import { O_DIRECTORY, O_NOCTTY, O_NONBLOCK, O_RDONLY } from '../ffi/constants.ts';
import { IN_IGNORED, IN_Q_OVERFLOW, inotifyRead } from '../ffi/inotify-calls.ts';
import { errnoOf } from '../ffi/system-error.ts';
import type { RootDirectory } from '../rooted-fs/paths/root-directory.ts';
import { Refusal } from '../rooted-fs/rooted-fs-error.ts';
import type { ScannedEntry } from '../rooted-fs/walk/scan-directory.ts';
import { isServedFileSystem } from '../rooted-fs/paths/served-file-systems.ts';
import { TimeSlice } from '../time-slice.ts';
import { EventQueue } from './event-queue.ts';
import { closeKernelQueue, openKernelQueue } from './event-queues.ts';
import { EventReader } from './event-reader.ts';
import { eventRecords } from './event-records.ts';
import { type Polled, startPolling, stopPolling } from './poller.ts';
import { scanTree } from './scan-tree.ts';
import type { DirectoryEvent } from './watch-event.ts';
import { type WatchNode, WatchTree } from './watch-tree.ts';

export interface WatchDirectoryOptions {
  /** Also all directories below, new ones too. @default true */
  readonly recursive?: boolean;
}

/** Read into by every watcher in its turn. */
const records = Buffer.alloc(64 * 1024);
/** How often it is looked whether the directory is still at its path. */
const LOOK_INTERVAL_MS = 250;
/** Least time between two looks at the whole tree; or so many times what the last one took. */
const REBUILD_INTERVAL_MS = 1000;
const REBUILD_SHARE = 4;

/**
 * Tells what happens in a directory, to one reader. It has an inotify queue of its own, so that a
 * guest that floods it loses its own events only, which is told as `resync`; and holds one descriptor
 * beside it, whatever the number of directories. No symlink is followed.
 */
export class DirectoryWatcher implements AsyncIterable<DirectoryEvent>, Disposable, Polled {
  readonly #root: RootDirectory;
  readonly #path: ByteString;
  readonly #directory: number;
  readonly #queue: number;
  readonly #recursive: boolean;
  readonly #tree: WatchTree;
  readonly #events = new EventQueue();
  readonly #reader: EventReader;
  readonly #open: Set<DirectoryWatcher>;
  #isBusy = false;
  #isClosed = false;
  #hasToldIncomplete = false;
  #lookedAtMs = 0;
  /** When the whole tree is looked at anew, after the kernel's queue was full. */
  #rebuildAtMs: number | undefined;
  #rebuiltAtMs = Number.NEGATIVE_INFINITY;
  #rebuildTookMs = 0;

  private constructor(
    root: RootDirectory,
    opened: { readonly fd: number; readonly path: ByteString; readonly queue: number },
    recursive: boolean,
    open: Set<DirectoryWatcher>,
  ) {
    this.#root = root;
    this.#path = opened.path;
    this.#directory = opened.fd;
    this.#queue = opened.queue;
    this.#recursive = recursive;
    this.#open = open;
    this.#tree = new WatchTree({
      queue: opened.queue,
      directory: opened.fd,
      isWatched: (fd) => !root.isHiddenArea(root.pathOf(fd)) && isServedFileSystem(fd),
    });
    this.#reader = new EventReader(this.#tree, this.#events, recursive);
    open.add(this);
  }

  /**
   * Resolves when all is watched.
   * @param open holds it until it has closed, whatever the reason
   * @throws SystemError, EMFILE and ENOSPC when the kernel has no more watches; Refusal
   */
  static async open(
    root: RootDirectory,
    path: ByteString,
    options: WatchDirectoryOptions,
    open: Set<DirectoryWatcher>,
  ): Promise<DirectoryWatcher> {
    const queue = await openKernelQueue();
    // No turn for others between here and the end of `make`: the root may be closed in any.
    const make = (): DirectoryWatcher => {
      const opened = root.openAt(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOCTTY);
      try {
        root.refuseHidden(opened.path);
        return new DirectoryWatcher(root, { ...opened, queue }, options.recursive ?? true, open);
      } catch (error) {
        closeSync(opened.fd);
        throw errnoOf(error) === 'ENOSPC' ? new Refusal('no_watches', { errno: 'ENOSPC' }) : error;
      }
    };
    let watcher: DirectoryWatcher;
    try {
      watcher = make();
    } catch (error) {
      closeKernelQueue(queue);
      throw error;
    }
    await watcher.#start();
    return watcher;
  }

  [Symbol.asyncIterator](): AsyncIterator<DirectoryEvent> {
    return this.#events[Symbol.asyncIterator]();
  }

  poll(untilMs: number): void {
    if (this.#isBusy || this.#isClosed) return;
    if (!this.#look()) return;
    this.#readRecords(untilMs);
    if (this.#isClosed) return;
    const isRebuildDue = (this.#rebuildAtMs ?? Number.POSITIVE_INFINITY) <= performance.now();
    if (isRebuildDue || this.#reader.unscanned.length > 0) void this.#catchUp(isRebuildDue);
    else this.#tellIncomplete();
  }

  /** Ends the events at once. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#events.drop();
    this.#release();
  }

  /** The directory, or the whole root, is gone: ends the events with `end`. Idempotent. */
  end(): void {
    if (this.#isClosed) return;
    this.#events.push({ kind: 'end' });
    this.#events.end();
    this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #start(): Promise<void> {
    try {
      this.#isBusy = true;
      startPolling(this);
      await this.#scanAll();
      this.#isBusy = false;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #readRecords(untilMs: number): void {
    this.#reader.beginBatch();
    let isEmpty = false;
    do {
      const length = inotifyRead(this.#queue, records);
      isEmpty = length === 0;
      for (const record of eventRecords(records, length)) {
        if ((record.mask & IN_Q_OVERFLOW) !== 0) this.#planRebuild();
        else if ((record.mask & IN_IGNORED) === 0) this.#reader.read(record);
        else if (this.#forget(record.watch)) return;
      }
    } while (!isEmpty && performance.now() < untilMs);
    this.#reader.endBatch(isEmpty);
    this.#tree.closeOpen();
    if (this.#reader.isConfused) this.#planRebuild();
  }

  /** The kernel dropped a watch. True when it was the one of the directory itself. */
  #forget(watch: number): boolean {
    const node = this.#tree.find(watch);
    if (node === undefined) return false;
    if (node === this.#tree.root) this.end();
    else this.#tree.drop(node);
    return this.#isClosed;
  }

  #planRebuild(): void {
    const pauseMs = Math.max(REBUILD_INTERVAL_MS, REBUILD_SHARE * this.#rebuildTookMs);
    this.#rebuildAtMs ??= Math.max(performance.now(), this.#rebuiltAtMs + pauseMs);
  }

  /** Watches new directories and tells of what is in them; or looks at the whole tree anew. */
  async #catchUp(rebuild: boolean): Promise<void> {
    this.#isBusy = true;
    try {
      if (rebuild) await this.#rebuild();
      else await this.#scanNew();
    } catch {
      // No descriptors or no memory for a moment: what was missed is looked for again.
      this.#planRebuild();
    }
    this.#tree.closeOpen();
    if (!this.#isClosed) this.#tellIncomplete();
    this.#isBusy = false;
  }

  async #scanNew(): Promise<void> {
    const visitor = {
      found: (node: WatchNode, entry: ScannedEntry) => this.#reader.found(node, entry),
      lost: (node: WatchNode) => this.#reader.lost(node),
      isOver: () => this.#isClosed,
    };
    await scanTree(this.#tree, this.#reader.unscanned.splice(0), visitor, new TimeSlice());
  }

  /** Watches all directories, and tells nothing. */
  async #scanAll(): Promise<void> {
    if (!this.#recursive) return;
    const visitor = {
      found: (node: WatchNode, { name, type }: ScannedEntry) => {
        if (type !== 'directory') return undefined;
        const attached = this.#tree.attach(node, name);
        if (attached.state === 'new' || attached.state === 'here') return attached.node;
        if (attached.state === 'full') this.#reader.isIncomplete = true;
        if (attached.state === 'lost' || attached.state === 'tangled') this.#planRebuild();
        return undefined;
      },
      lost: () => this.#planRebuild(),
      isOver: () => this.#isClosed,
    };
    await scanTree(this.#tree, [this.#tree.root], visitor, new TimeSlice());
  }

  /** Only then is `resync` told: whoever looks now will hear of what comes later. */
  async #rebuild(): Promise<void> {
    const startedAtMs = performance.now();
    this.#rebuildAtMs = undefined;
    this.#reader.reset();
    this.#tree.beginRound();
    try {
      await this.#scanAll();
      if (this.#isClosed) return;
      this.#tree.endRound();
    } finally {
      this.#rebuiltAtMs = performance.now();
      this.#rebuildTookMs = this.#rebuiltAtMs - startedAtMs;
    }
    this.#events.replaceAll('overflow');
  }

  #tellIncomplete(): void {
    if (!this.#reader.isIncomplete) return;
    this.#reader.isIncomplete = false;
    if (this.#hasToldIncomplete) return;
    this.#hasToldIncomplete = true;
    this.#events.push({ kind: 'resync', reason: 'too_many_directories' });
  }

  /** False, and the end, when the directory was removed or is somewhere else. */
  #look(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < LOOK_INTERVAL_MS) return true;
    this.#lookedAtMs = nowMs;
    if (this.#isAtItsPath()) return true;
    this.#readRecords(nowMs);
    this.end();
    return false;
  }

  #isAtItsPath(): boolean {
    try {
      return this.#root.pathOf(this.#directory) === this.#path;
    } catch {
      return false;
    }
  }

  #release(): void {
    this.#isClosed = true;
    stopPolling(this);
    this.#tree.close();
    closeSync(this.#directory);
    closeKernelQueue(this.#queue);
    this.#open.delete(this);
  }
}
