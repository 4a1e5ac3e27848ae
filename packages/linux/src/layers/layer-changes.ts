import { closeSync } from 'node:fs';
import { type ByteString, byteString, hostPath } from '../ffi/byte-string.ts';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY } from '../ffi/constants.ts';
import { openat } from '../ffi/file-calls.ts';
import { extendedAttribute } from '../ffi/xattr-calls.ts';
import { statEntry } from '../rooted-fs/attributes/entry.ts';
import type { EntryType, RawStat } from '../rooted-fs/attributes/file-stat.ts';
import { MAX_PATH_BYTES, componentsOf, isWithin } from '../rooted-fs/paths/guest-path.ts';
import { openDirectoryBeneath } from '../rooted-fs/paths/open-beneath.ts';
import { Refusal, rootedFsErrorOf } from '../rooted-fs/rooted-fs-error.ts';
import { isTemporaryName } from '../rooted-fs/write/temporary-file.ts';
import { TimeSlice } from '../time-slice.ts';
import { type Below, LayerLevel, type LayerPair, closePair } from './layer-level.ts';
import { type ChangeKind, type Found, compareEntry, look } from './layer-entry.ts';

export interface LayerChangesOptions {
  /** Trusted path of the overlay's upper layer. What is in it is the guest's. */
  readonly upper: string;
  /** Trusted path of the root of the layer below. */
  readonly lower: string;
  /** Host id of id 0 in the upper layer. @default 0 */
  readonly idBase?: number;
  /** Bytes of a normal absolute path: what is at and below it. @default '/' */
  readonly path?: Buffer;
  /** Goes on behind the change with this {@link LayerChange.pathBytes}. */
  readonly after?: Buffer;
  /** Normal absolute paths that are left out with all below them. @default [] */
  readonly hiddenAreas?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** One entry that differs between the layers. */
export interface LayerChange {
  readonly change: ChangeKind;
  /** Absolute path. */
  readonly pathBytes: Buffer;
  /** What it is; of what is deleted, what it was. */
  readonly type: EntryType;
  /** Bytes; of what is deleted, those that it had. */
  readonly size: number;
  /** Of what is modified: bytes in the layer below. */
  readonly previousSize: number | undefined;
}

/**
 * What an overlay's upper layer changes of the layer below, in tree order: each directory sorted by
 * name byte by byte, a directory before what is in it. Of a deleted directory only itself. A file is
 * modified when its contents, mode or owner differ; its time, which the guest can set, counts for
 * nothing. Works by descriptors on the layers themselves, while the guest may write. Memory and
 * descriptors do not grow with the tree.
 * @throws RootedFsError `not_found` when neither layer has the path; AbortError
 */
export async function* layerChanges(options: LayerChangesOptions): AsyncGenerator<LayerChange> {
  const path = options.path ?? Buffer.from('/');
  let walk: LayerWalk | undefined;
  try {
    walk = new LayerWalk(options);
    const start = componentsOf(byteString(path.toString('latin1')));
    const after = options.after && componentsOf(byteString(options.after.toString('latin1')));
    yield* walk.from(start, after);
  } catch (error) {
    throw rootedFsErrorOf(error, path.toString());
  } finally {
    walk?.close();
  }
}

class LayerWalk {
  readonly #options: LayerChangesOptions;
  readonly #roots: LayerPair;
  /** From the root down; only the last one is open. */
  readonly #levels: LayerLevel[] = [];
  readonly #slice = new TimeSlice();

  /** @throws SystemError */
  constructor(options: LayerChangesOptions) {
    this.#options = options;
    this.#roots = openRoots(options);
    try {
      this.#levels.push(new LayerLevel('' as ByteString, 'merged', openRoots(options)));
    } catch (error) {
      closePair(this.#roots);
      throw error;
    }
  }

  close(): void {
    for (const level of this.#levels.splice(0)) level.close();
    closePair(this.#roots);
  }

  /** @param after names of the path behind which it goes on */
  async *from(
    start: readonly ByteString[],
    after: readonly ByteString[] | undefined,
  ): AsyncGenerator<LayerChange> {
    if (after !== undefined && start.some((name, index) => after[index] !== name)) {
      throw new Refusal('invalid_path', { reason: 'not a place in this list' });
    }
    for (const [index, name] of start.entries()) {
      const level = this.#top;
      const found = look(level, name);
      const isLast = index === start.length - 1;
      if (isLast && (found.upper !== undefined || found.lower !== undefined)) {
        level.restrictTo(name);
        break;
      }
      if (isLast) throw new Refusal('not_found', { errno: 'ENOENT' });
      // Of the directories on the way only the next one is of interest.
      level.restrictTo(name);
      level.nextName();
      if (!this.#enter(level, name, found)) {
        const rest = start.slice(index + 1);
        yield* this.#belowMissing(level, name, found, rest);
        return;
      }
    }
    if (after !== undefined) this.#goBehind(start.length, after);
    yield* this.#walk();
  }

  /** For a path that runs through what the upper layer does not have as a directory. */
  *#belowMissing(
    level: LayerLevel,
    name: ByteString,
    found: Found,
    rest: readonly ByteString[],
  ): Generator<LayerChange> {
    const relative = byteString([level.pathOf(name), ...rest].join('/'));
    const lower = this.#lowerStat(relative);
    if (lower === undefined) throw new Refusal('not_found', { errno: 'ENOENT' });
    const isUntouched = found.upper === undefined && !found.isDeleted && level.below === 'merged';
    if (!isUntouched) yield change('deleted', relative, lower, undefined);
  }

  #lowerStat(relative: ByteString): RawStat | undefined {
    const slash = relative.lastIndexOf('/');
    const { lower } = this.#roots;
    if (lower === undefined) return undefined;
    const directory = openDirectoryBeneath(lower, byteString(relative.slice(0, slash) || '.'));
    if (directory === undefined) return undefined;
    try {
      return statEntry(directory, byteString(relative.slice(slash + 1)));
    } finally {
      closeSync(directory);
    }
  }

  #goBehind(started: number, after: readonly ByteString[]): void {
    for (const name of after.slice(Math.max(0, started - 1))) {
      const level = this.#top;
      if (level.isRestricted) level.nextName();
      else level.startAfter(name);
      if (!this.#enter(level, name, look(level, name))) return;
    }
  }

  async *#walk(): AsyncGenerator<LayerChange> {
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      this.#options.signal?.throwIfAborted();
      if (this.#slice.isOver) await this.#slice.yield();
      const isThere = level.reopen(this.#roots);
      if (isThere && level.needsNames) await level.readNames(this.#slice);
      const name = isThere ? level.nextName() : undefined;
      if (name === undefined) {
        this.#levels.pop()?.close();
        continue;
      }
      if (isTemporaryName(name) || this.#isHidden(level.pathOf(name))) continue;
      const found = look(level, name);
      const kind = await compareEntry(level, name, found, this.#options);
      const { upper, lower } = found;
      const shown = upper ?? lower;
      if (kind !== undefined && shown !== undefined) {
        yield change(kind, level.pathOf(name), shown, kind === 'modified' ? lower : undefined);
      }
      this.#enter(level, name, found);
    }
  }

  /** Goes into a directory of the upper layer. False when it is none, or is not to be walked. */
  #enter(level: LayerLevel, name: ByteString, { upper, lower }: Found): boolean {
    const path = level.pathOf(name);
    if (upper?.type !== 'directory' || path.length >= MAX_PATH_BYTES) return false;
    if (level.open === undefined || this.#isHidden(path)) return false;
    const fd = openDirectoryBeneath(level.open.upper, name);
    if (fd === undefined) return false;
    try {
      const below = lower?.type === 'directory' ? 'merged' : 'nothing';
      const isCovered =
        below === 'merged' &&
        (level.below === 'covered' || extendedAttribute(fd, 'trusted.overlay.opaque') === 'y');
      if (below === 'nothing') refuseRedirect(fd);
      const lowerFd = this.#openLower(level.open, name, below);
      level.close();
      const pair = { upper: fd, lower: lowerFd };
      this.#levels.push(new LayerLevel(path, isCovered ? 'covered' : below, pair));
      return true;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  #openLower({ lower }: LayerPair, name: ByteString, below: Below): number | undefined {
    if (lower === undefined || below === 'nothing') return undefined;
    return openDirectoryBeneath(lower, name);
  }

  get #top(): LayerLevel {
    const level = this.#levels.at(-1);
    if (level === undefined) throw new Error('the walk has ended');
    return level;
  }

  #isHidden(path: ByteString): boolean {
    return this.#options.hiddenAreas?.some((area) => isWithin(`/${path}`, area)) ?? false;
  }
}

function openRoots({ upper, lower }: LayerChangesOptions): LayerPair {
  const flags = O_RDONLY | O_DIRECTORY;
  const top = openat(AT_FDCWD, hostPath(upper), flags);
  try {
    return { upper: top, lower: openat(AT_FDCWD, hostPath(lower), flags) };
  } catch (error) {
    closeSync(top);
    throw error;
  }
}

/** A directory that was renamed and whose contents are elsewhere in the layer below. */
function refuseRedirect(fd: number): void {
  if (extendedAttribute(fd, 'trusted.overlay.redirect') === undefined) return;
  throw new Refusal('io', { reason: 'the overlay was mounted with redirects' });
}

function change(
  kind: ChangeKind,
  path: ByteString,
  shown: RawStat,
  previous: RawStat | undefined,
): LayerChange {
  return {
    change: kind,
    pathBytes: Buffer.from(`/${path}`, 'latin1'),
    type: shown.type,
    size: Number(shown.size),
    previousSize: previous === undefined ? undefined : Number(previous.size),
  };
}
