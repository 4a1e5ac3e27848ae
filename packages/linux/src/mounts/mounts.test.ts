import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Scratch, notRoot, scratchOnDisk } from '../testing/scratch.ts';
import { createDiskImage } from './disk-image.ts';
import { listMounts, parseMountInfo } from './list-mounts.ts';
import { mountOverlay } from './overlay.ts';
import { probeIdMappedOverlay, probeOpenat2, probeOverlay } from './probes.ts';
import { attachTree, bindTree, createIdMappedTree, unmount } from './trees.ts';
import { createUserNamespace } from './user-namespace.ts';

/** A name with everything that mount options and mountinfo treat specially. */
const ODD = 'a,b:c d\\e\tf\ng#h';

let scratch: Scratch;

beforeEach(() => {
  scratch = scratchOnDisk();
});

afterEach(async () => {
  const mine = (await listMounts()).filter((mount) => mount.mountPoint.startsWith(scratch.path));
  for (const mount of mine.toReversed()) unmount(mount.mountPoint, { detach: true });
  scratch[Symbol.dispose]();
});

/** Undefined when the loop device is free. */
function backingFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function directory(name: string): string {
  const path = join(scratch.path, name);
  mkdirSync(path);
  return path;
}

test('mountinfo lines with and without optional fields are understood', () => {
  const text = [
    String.raw`36 35 98:0 /mnt1 /mnt\0402 rw,noatime shared:1 master:2 - ext3 /dev/ro\134ot rw,e=c`,
    '37 35 0:5 / / ro - tmpfs - rw',
    'garbage',
    '',
  ].join('\n');
  expect(parseMountInfo(text)).toEqual([
    {
      id: 36,
      parentId: 35,
      device: '98:0',
      root: '/mnt1',
      mountPoint: '/mnt 2',
      options: ['rw', 'noatime'],
      type: 'ext3',
      source: '/dev/ro\\ot',
      superOptions: ['rw', 'e=c'],
    },
    {
      id: 37,
      parentId: 35,
      device: '0:5',
      root: '/',
      mountPoint: '/',
      options: ['ro'],
      type: 'tmpfs',
      source: '-',
      superOptions: ['rw'],
    },
  ]);
});

describe.skipIf(notRoot)('mounting', () => {
  test('an overlay of directories with odd names, nosuid and nodev', async () => {
    const lower = [directory(`low1 ${ODD}`), directory(`low2 ${ODD}`)];
    const [upper, work, target] = [
      directory(`up ${ODD}`),
      directory(`work ${ODD}`),
      directory(`to ${ODD}`),
    ];
    for (const [index, path] of lower.entries()) writeFileSync(join(path, 'file'), `${index}`);
    mountOverlay({ lower, upper, work, target });
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('0');
    writeFileSync(join(target, 'new'), '');
    expect(readdirSync(upper)).toEqual(['new']);
    const mount = (await listMounts()).find((entry) => entry.mountPoint === target);
    expect(mount).toMatchObject({ type: 'overlay' });
    expect(mount?.options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
    unmount(target);
    unmount(target);
    expect(readdirSync(target)).toEqual([]);
  });

  test('too many layers are refused before the kernel cuts them', () => {
    const lower = Array.from({ length: 100 }, () => `/${'x'.repeat(100)}`);
    const mount = (): void => mountOverlay({ lower, upper: '/u', work: '/w', target: '/t' });
    expect(mount).toThrow(RangeError);
  });

  test('a bind mount may be read-only and disappears with its last descriptor', async () => {
    const source = directory('source');
    const target = directory('target');
    writeFileSync(join(source, 'file'), 'text');
    closeSync(bindTree({ source }));
    const tree = bindTree({ source, readOnly: true });
    attachTree(tree, { path: target });
    closeSync(tree);
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('text');
    expect(() => writeFileSync(join(target, 'file'), 'x')).toThrow('EROFS');
    const mount = (await listMounts()).find((entry) => entry.mountPoint === target);
    expect(mount?.options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev']));
    unmount(target);
    expect(readdirSync(target)).toEqual([]);
  });

  test('an id-mapped mount shows owners shifted, in a namespace without processes', async () => {
    const source = directory('source');
    const target = directory('target');
    writeFileSync(join(source, 'file'), '');
    const namespace = await createUserNamespace({ base: 400_000, count: 65536 });
    const tree = createIdMappedTree({ source, userNamespaceFd: namespace });
    attachTree(tree, { path: target });
    const inode = fstatSync(namespace).ino;
    closeSync(tree);
    closeSync(namespace);
    expect(statSync(join(target, 'file')).uid).toBe(400_000);
    const inhabitants = readdirSync('/proc').filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/user`) === `user:[${inode}]`;
      } catch {
        return false;
      }
    });
    expect(inhabitants).toEqual([]);
  });

  test('a user namespace of impossible ids is an error', async () => {
    const impossible = createUserNamespace({ base: 4_294_967_290, count: 65536 });
    await expect(impossible).rejects.toThrow();
  });

  test('a disk image has its size and leaves no loop device', { timeout: 30_000 }, async () => {
    const file = join(scratch.path, 'disk.img');
    const mountPoint = directory('disk');
    await createDiskImage({ file, mountPoint, sizeBytes: 16 * 1024 * 1024 });
    const big = (): void => writeFileSync(join(mountPoint, 'big'), Buffer.alloc(32 * 1024 * 1024));
    expect(big).toThrow('ENOSPC');
    const mount = (await listMounts()).find((entry) => entry.mountPoint === mountPoint);
    expect(mount?.options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
    const backing = `/sys/block/${mount?.source.split('/').at(-1)}/loop/backing_file`;
    expect(readFileSync(backing, 'utf8').trim()).toBe(file);
    unmount(mountPoint);
    // Whoever looks for a free loop device holds each for a moment.
    await expect.poll(() => backingFile(backing)).not.toBe(file);
    await expect(createDiskImage({ file, mountPoint, sizeBytes: 1024 })).rejects.toThrow('EEXIST');
    const tiny = join(scratch.path, 'tiny.img');
    await expect(createDiskImage({ file: tiny, mountPoint, sizeBytes: 1024 })).rejects.toThrow();
    expect(existsSync(tiny)).toBe(false);
  });

  test('the probes answer and leave nothing behind', async () => {
    expect(probeOpenat2()).toEqual({ works: true });
    for (const probe of [probeOverlay, probeIdMappedOverlay]) {
      expect(typeof (await probe(scratch.path)).works).toBe('boolean');
      expect(readdirSync(scratch.path)).toEqual([]);
      expect(await probe('/nonexistent')).toMatchObject({ works: false });
    }
  });
});
