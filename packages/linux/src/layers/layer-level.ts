import { closeSync } from 'node:fs';
import type { ByteString } from '../ffi/byte-string.ts';
import { statDescriptor } from '../rooted-fs/attributes/entry.ts';
import { identityOf } from '../rooted-fs/attributes/file-stat.ts';
import { openDirectoryBeneath } from '../rooted-fs/paths/open-beneath.ts';
import { nextNames } from '../rooted-fs/walk/sorted-names.ts';
import type { TimeSlice } from '../time-slice.ts';

/** What the layer below has of a directory. */
export type Below =
  /** Nothing. */
  | 'nothing'
  /** A directory: names that the upper layer does not have come from it. */
  | 'merged'
  /** A directory, of which nothing shows: the upper layer has all there is. */
  | 'covered';

/** Descriptors of one directory in both layers. */
export interface LayerPair {
  readonly upper: number;
  /** Undefined when the layer below has no such directory. */
  readonly lower: number | undefined;
}

/** A directory of the upper layer that a walk is in, with the one below it. */
export class LayerLevel {
  /** Path below the root; empty for the root itself. */
  readonly path: ByteString;
  readonly below: Below;
  readonly #identity: string;
  #open: LayerPair | undefined;
  #names: ByteString[] = [];
  #next = 0;
  #isLast = false;
  #isRestricted = false;
  #after: ByteString | undefined;

  /** Takes over the descriptors. */
  constructor(path: ByteString, below: Below, open: LayerPair) {
    this.path = path;
    this.below = below;
    this.#open = open;
    this.#identity = identityOf(statDescriptor(open.upper));
  }

  /** Undefined while it is closed. */
  get open(): LayerPair | undefined {
    return this.#open;
  }

  /** Whether it has one name only, whatever else is in it. */
  get isRestricted(): boolean {
    return this.#isRestricted;
  }

  get needsNames(): boolean {
    return this.#next === this.#names.length && !this.#isLast;
  }

  pathOf(name: ByteString): ByteString {
    return this.path === '' ? name : (`${this.path}/${name}` as ByteString); // Both are bytes.
  }

  /** Goes on behind this name. */
  startAfter(name: ByteString): void {
    this.#after = name;
    this.#names = [];
    this.#next = 0;
    this.#isLast = false;
  }

  /** Has this one name only. */
  restrictTo(name: ByteString): void {
    this.#names = [name];
    this.#next = 0;
    this.#isLast = true;
    this.#isRestricted = true;
  }

  nextName(): ByteString | undefined {
    const name = this.#names[this.#next];
    if (name !== undefined) {
      this.#next++;
      this.#after = name;
    }
    return name;
  }

  /** Reads the next names of the upper layer, or of both where one covers the other. */
  async readNames(slice: TimeSlice): Promise<void> {
    if (this.#open === undefined) return;
    const { upper, lower } = this.#open;
    const windows = [await nextNames(upper, this.#after, slice)];
    if (this.below === 'covered' && lower !== undefined) {
      windows.push(await nextNames(lower, this.#after, slice));
    }
    // Beyond the last name of a window that is not the last one, names may be missing.
    const ends = windows.filter((each) => !each.isLast).map((each) => each.names.at(-1) ?? '');
    const end = ends.toSorted()[0];
    const all = windows.flatMap((each) => each.names);
    const names = end === undefined ? all : all.filter((name) => name <= end);
    this.#names = windows.length === 1 ? names : [...new Set(names)].sort();
    this.#next = 0;
    this.#isLast = end === undefined;
  }

  /** Opens it again below the roots. False when it is no longer where it was. */
  reopen(roots: LayerPair): boolean {
    if (this.#open !== undefined) return true;
    const upper = openDirectoryBeneath(roots.upper, this.path || DOT);
    if (upper === undefined) return false;
    if (identityOf(statDescriptor(upper)) !== this.#identity) {
      closeSync(upper);
      return false;
    }
    try {
      this.#open = { upper, lower: this.#reopenLower(roots) };
    } catch (error) {
      closeSync(upper);
      throw error;
    }
    return true;
  }

  close(): void {
    if (this.#open !== undefined) closePair(this.#open);
    this.#open = undefined;
  }

  #reopenLower({ lower }: LayerPair): number | undefined {
    if (this.below === 'nothing' || lower === undefined) return undefined;
    return openDirectoryBeneath(lower, this.path || DOT);
  }
}

const DOT = '.' as ByteString; // ASCII.

export function closePair({ upper, lower }: LayerPair): void {
  closeSync(upper);
  if (lower !== undefined) closeSync(lower);
}
