import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '@sandport/linux';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type DiskPlace, diskPath, DiskSizeError, type Storage } from '../storage/storage.ts';

/** A storage under test. */
export interface StorageSubject {
  readonly storage: Storage;
  /** Directory for the places of disks. */
  readonly directory: string;
  /** Whatever is left of disks anywhere; empty when all are discarded. */
  readonly leftovers: () => Promise<readonly string[]>;
  /** Why a disk cannot grow here; undefined when it can. */
  readonly cannotGrow?: string | undefined;
  /** Undo what `open` has done. */
  readonly close: () => Promise<void>;
}

const mebibyte = 2 ** 20;
/** The kernel's word for why something does not fit. */
function full(write: () => void): string | undefined {
  try {
    write();
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}

const limit = { sizeBytes: 48 * mebibyte };

/** Declares the suite that every storage passes. */
export function storageConformance(name: string, open: () => Promise<StorageSubject>): void {
  describe(`the storage ${name}`, { timeout: 60_000 }, () => {
    let subject: StorageSubject;
    let storage: Storage;
    let count = 0;
    const places: DiskPlace[] = [];
    afterEach(async () => {
      for (const each of places.splice(0)) await storage.discard(each);
    });
    beforeAll(async () => {
      subject = await open();
      storage = subject.storage;
    }, 60_000);
    afterAll(async () => {
      await subject.close();
    });

    const place = (): DiskPlace => {
      const directory = join(subject.directory, `place-${count++}`);
      mkdirSync(directory);
      places.push({ directory });
      return { directory };
    };
    /** A disk as a sandbox has it. */
    const disk = async (size = {}): Promise<DiskPlace> => {
      const made = place();
      await storage.create(made, size);
      mkdirSync(upper(made));
      return made;
    };
    const upper = (at: DiskPlace) => join(diskPath(at), 'upper');
    const file = (at: DiskPlace, each = 'file') => join(upper(at), each);
    const discard = async (...made: readonly DiskPlace[]) => {
      for (const each of made) await storage.discard(each);
      expect(await subject.leftovers()).toEqual([]);
    };

    test('makes empty disks, and discards them with all that is in them', async () => {
      const at = await disk();
      writeFileSync(file(at), 'x');
      await storage.open(at);
      expect(readFileSync(file(at), 'utf8')).toBe('x');
      await storage.discard(at);
      await storage.discard(at);
      expect(existsSync(diskPath(at))).toBe(false);
      await discard();
    });

    test('clones what a disk holds; both go their own way', async () => {
      const original = await disk();
      writeFileSync(file(original), 'before');
      writeFileSync(file(original, 'large'), Buffer.alloc(3 * mebibyte, 'l'));
      chownSync(file(original), 1000, 1000);
      const clone = place();
      await storage.clone(original, clone);
      writeFileSync(file(original), 'original');
      expect(readFileSync(file(clone), 'utf8')).toBe('before');
      expect(statSync(file(clone)).uid).toBe(1000);
      expect(readFileSync(file(clone, 'large')).equals(Buffer.alloc(3 * mebibyte, 'l'))).toBe(true);
      writeFileSync(file(clone, 'new'), 'clone');
      rmSync(file(clone, 'large'));
      expect(existsSync(file(original, 'new'))).toBe(false);
      const second = place();
      await storage.clone(clone, second);
      await storage.discard(clone);
      await storage.discard(original);
      expect(readFileSync(file(second, 'new'), 'utf8')).toBe('clone');
      await discard(second);
    });

    test('holds disks to their limit', async () => {
      const at = await disk(limit);
      expect(full(() => writeFileSync(file(at), Buffer.alloc(64 * mebibyte, 'x')))).toMatch(
        /ENOSPC|EDQUOT/,
      );
      rmSync(file(at));
      writeFileSync(file(at), Buffer.alloc(16 * mebibyte, 'x'));
      const { usedBytes, sizeBytes } = await storage.usage(at);
      expect(sizeBytes).toBe(limit.sizeBytes);
      expect(usedBytes).toBeLessThan(limit.sizeBytes);
      await discard(at);
    });

    test('gives a clone a limit of its own, whatever its original has', async () => {
      const original = await disk(limit);
      writeFileSync(file(original), Buffer.alloc(20 * mebibyte, 'x'));
      const larger = place();
      await storage.clone(original, larger, { sizeBytes: 2 * limit.sizeBytes });
      writeFileSync(file(larger, 'more'), Buffer.alloc(50 * mebibyte, 'x'));
      const unlimited = place();
      await storage.clone(original, unlimited);
      writeFileSync(file(unlimited, 'more'), Buffer.alloc(100 * mebibyte, 'x'));
      expect((await storage.usage(unlimited)).sizeBytes).toBeUndefined();
      expect((await storage.usage(larger)).sizeBytes).toBe(2 * limit.sizeBytes);
      expect(() => writeFileSync(file(original, 'more'), Buffer.alloc(50 * mebibyte))).toThrow();
      await discard(original, larger, unlimited);
    });

    test('tells how much a disk holds, within some seconds', async () => {
      const at = await disk();
      writeFileSync(file(at), Buffer.alloc(10 * mebibyte, 'x'));
      await expect
        .poll(async () => (await storage.usage(at)).usedBytes, { timeout: 15_000, interval: 500 })
        .toBeGreaterThan(9 * mebibyte);
      expect((await storage.usage(at)).usedBytes).toBeLessThan(12 * mebibyte);
      await discard(at);
    });

    test('lets a disk grow while it is used', async (context) => {
      if (subject.cannotGrow !== undefined) context.skip(subject.cannotGrow);
      const at = await disk(limit);
      writeFileSync(file(at), Buffer.alloc(30 * mebibyte, 'x'));
      await storage.resize(at, { sizeBytes: 128 * mebibyte });
      writeFileSync(file(at, 'more'), Buffer.alloc(60 * mebibyte, 'x'));
      expect((await storage.usage(at)).sizeBytes).toBe(128 * mebibyte);
      await discard(at);
    });

    test('refuses to make a disk smaller than what it holds', async () => {
      const at = await disk(limit);
      writeFileSync(file(at), Buffer.alloc(30 * mebibyte, 'x'));
      await expect(storage.resize(at, { sizeBytes: 16 * mebibyte })).rejects.toThrow(DiskSizeError);
      expect(readFileSync(file(at)).length).toBe(30 * mebibyte);
      await discard(at);
    });

    test('keeps files while a disk is closed', async () => {
      const at = await disk({ ...limit, lasting: true });
      writeFileSync(file(at), 'kept');
      await storage.close(at);
      await storage.close(at);
      await storage.open(at);
      await storage.open(at);
      expect(readFileSync(file(at), 'utf8')).toBe('kept');
      await discard(at);
    });

    test('leaves nothing of a clone that fails', async () => {
      const original = await disk();
      writeFileSync(file(original), Buffer.alloc(4 * mebibyte, 'x'));
      const aborted = AbortSignal.abort(new Error('enough'));
      await expect(storage.clone(original, place(), { signal: aborted })).rejects.toThrow('enough');
      await expect(storage.clone(place(), place())).rejects.toThrow();
      await discard(original);
    });

    test('discards what was begun and not finished', async () => {
      const at = await disk(limit);
      rmSync(upper(at), { recursive: true });
      await discard(at, place());
    });
  });
}
