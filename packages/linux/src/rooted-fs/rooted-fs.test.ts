import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerOf, list, readFile, writeFile } from '../testing/file-helpers.ts';
import { type Scratch, notRoot, scratchOnDisk } from '../testing/scratch.ts';
import { RootedFs } from './rooted-fs.ts';

let scratch: Scratch;
let root: string;
let fs: RootedFs;

beforeEach(() => {
  scratch = scratchOnDisk();
  root = join(scratch.path, 'root');
  mkdirSync(root);
  fs = RootedFs.open(root);
});

afterEach(() => {
  fs.close();
  scratch[Symbol.dispose]();
});

describe('reading', () => {
  test('gives all bytes, a range, and nothing of an empty file', async () => {
    const data = Buffer.alloc(3_000_000, 'abcdefg');
    writeFileSync(join(root, 'file'), data);
    writeFileSync(join(root, 'empty'), '');
    const whole = fs.openFile('/file');
    expect(whole.stat).toMatchObject({ type: 'file', size: data.length, mode: 0o644 });
    expect((await buffer(whole.stream())).equals(data)).toBe(true);
    const part = fs.openFile('/file');
    const range = { start: 1_000_000, end: 1_000_010 };
    expect(await buffer(part.stream(range))).toEqual(data.subarray(1_000_000, 1_000_010));
    expect(await readFile(fs, '/empty')).toBe('');
  });

  test('refuses ranges outside of the file', async () => {
    writeFileSync(join(root, 'file'), 'text');
    await using file = fs.openFile('/file');
    for (const range of [{ start: -1 }, { end: 5 }, { start: 3, end: 2 }, { start: 0.5 }]) {
      expect(() => file.stream(range)).toThrow(RangeError);
    }
  });

  test('ends with `truncated` when the file becomes shorter', async () => {
    writeFileSync(join(root, 'file'), Buffer.alloc(4_000_000));
    const file = fs.openFile('/file');
    truncateSync(join(root, 'file'), 1_000_000);
    await expect(buffer(file.stream())).rejects.toMatchObject({ kind: 'truncated', path: '/file' });
  });

  test('does not go on to what was appended meanwhile', async () => {
    writeFileSync(join(root, 'file'), 'short');
    const file = fs.openFile('/file');
    writeFileSync(join(root, 'file'), 'short and long');
    expect((await buffer(file.stream())).toString()).toBe('short');
  });

  test('closing in the middle of a read waits for it', async () => {
    writeFileSync(join(root, 'file'), Buffer.alloc(2_000_000));
    const file = fs.openFile('/file');
    const stream = file.stream();
    stream.read();
    await file.close();
    await file.close();
    expect(() => file.fd).toThrow('closed');
    await expect(buffer(stream)).rejects.toThrow();
  });

  test('the etag is the same for the same contents and another after a change', async () => {
    const { etag } = await writeFile(fs, '/file', 'one');
    expect(etag).toMatch(/^"[^"]+"$/);
    const etagNow = async (): Promise<string> => {
      await using file = fs.openFile('/file');
      return file.etag;
    };
    expect(await etagNow()).toBe(etag);
    utimesSync(join(root, 'file'), 1, 1);
    expect(await etagNow()).not.toBe(etag);
    const second = await writeFile(fs, '/file', 'two');
    expect(second.etag).not.toBe(etag);
    expect(await etagNow()).toBe(second.etag);
  });

  test('kernel interfaces are refused wherever they are mounted', async () => {
    using host = RootedFs.open('/', { hiddenAreas: [] });
    for (const path of ['/proc/self/status', '/proc/self', '/sys/kernel', '/proc']) {
      expect(await answerOf(() => host.openFile(path))).toBe('not_a_regular_file');
    }
    expect(await answerOf(() => list(host, '/proc'))).toBe('not_a_regular_file');
  });
});

describe('stat', () => {
  test('64-bit times and sizes, symlinks themselves or their targets', () => {
    writeFileSync(join(root, 'file'), '');
    truncateSync(join(root, 'file'), 5 * 2 ** 32);
    utimesSync(join(root, 'file'), 5_000_000_000, 5_000_000_000);
    symlinkSync('file', join(root, 'link'));
    expect(fs.stat('/link')).toMatchObject({
      type: 'file',
      size: 5 * 2 ** 32,
      mtimeNs: 5_000_000_000_000_000_000n,
      nlink: 1,
    });
    const link = fs.stat('/link', { followSymlinks: false });
    expect(link).toMatchObject({ type: 'symlink', symlinkTarget: 'file', size: 4 });
  });

  test.skipIf(notRoot)('owners are the ids inside; those that have none are nobody', () => {
    using mapped = RootedFs.open(root, { idBase: 200_000, idCount: 1000 });
    writeFileSync(join(root, 'inside'), '');
    chownSync(join(root, 'inside'), 200_007, 200_008);
    writeFileSync(join(root, 'outside'), '');
    chownSync(join(root, 'outside'), 0, 201_000);
    expect(mapped.stat('/inside')).toMatchObject({ uid: 7, gid: 8 });
    expect(mapped.stat('/outside')).toMatchObject({ uid: 65534, gid: 65534 });
  });
});

describe('writing', () => {
  test('makes parents, modes and owners as asked, whatever the umask', async () => {
    const umask = process.umask(0o077);
    try {
      const owner = notRoot === undefined ? { uid: 1000, gid: 1001 } : { uid: 0, gid: 0 };
      await writeFile(fs, '/a/b/file', 'x', { mode: 0o666, directoryMode: 0o775, owner });
      expect(fs.stat('/a/b/file')).toMatchObject({ mode: 0o666, ...owner });
      expect(fs.stat('/a/b')).toMatchObject({ mode: 0o775, ...owner });
      expect(fs.stat('/a')).toMatchObject({ mode: 0o775, ...owner });
    } finally {
      process.umask(umask);
    }
  });

  test('without createParents a missing directory is an error and stays missing', async () => {
    const write = (): unknown => writeFile(fs, '/a/b', 'x', { createParents: false });
    expect(await answerOf(write)).toBe('not_found');
    expect(readdirSync(root)).toEqual([]);
  });

  test.skipIf(notRoot)('a file that is there keeps mode and owner but no set-id bits', async () => {
    writeFileSync(join(root, 'file'), 'old');
    chownSync(join(root, 'file'), 1234, 1235);
    chmodSync(join(root, 'file'), 0o6751);
    await writeFile(fs, '/file', 'new', { defaultOwner: { uid: 5, gid: 5 } });
    expect(fs.stat('/file')).toMatchObject({ mode: 0o751, uid: 1234, gid: 1235 });
    // Without group execution the bit means something else and stays, as for the kernel.
    chmodSync(join(root, 'file'), 0o2640);
    await writeFile(fs, '/file', 'newer');
    expect(fs.stat('/file').mode).toBe(0o2640);
  });

  test('a symlink stays and its target is replaced; other hard links keep the old text', async () => {
    writeFileSync(join(root, 'file'), 'old');
    linkSync(join(root, 'file'), join(root, 'other'));
    symlinkSync('file', join(root, 'link'));
    await writeFile(fs, '/link', 'new');
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('new');
    expect(readFileSync(join(root, 'other'), 'utf8')).toBe('old');
    expect(fs.stat('/link', { followSymlinks: false }).type).toBe('symlink');
  });

  test('an owner that the sandbox does not have is refused', async () => {
    const write = (): unknown => writeFile(fs, '/file', 'x', { owner: { uid: 65536, gid: 0 } });
    expect(await answerOf(write)).toBe('permission_denied');
  });

  test('the path with the most components and the longest name work', async () => {
    const deep = '/d'.repeat(1500);
    await writeFile(fs, `${deep}/file`, 'deep');
    expect(await readFile(fs, `${deep}/file`)).toBe('deep');
    const long = `/${'é'.repeat(127)}x`;
    await writeFile(fs, long, 'long');
    expect((await list(fs, '/')).map((entry) => entry.name)).toContain(long.slice(1));
  });
});

describe('a FIFO', () => {
  test('is refused at once, whoever has it open', async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    const startMs = performance.now();
    for (const operation of [
      () => fs.openFile('/fifo'),
      () => list(fs, '/fifo'),
      () => fs.createWriter('/fifo'),
      () => fs.createWriter('/fifo/file'),
    ]) {
      expect(await answerOf(operation)).toMatch(/^not_a_/);
    }
    expect(performance.now() - startMs).toBeLessThan(1000);
    expect(statSync(join(root, 'fifo')).isFIFO()).toBe(true);
  });
});

describe('after close', () => {
  test('every call fails and the descriptor is never used again', async () => {
    fs.close();
    fs.close();
    writeFileSync(join(root, 'file'), '');
    expect(await answerOf(() => fs.openFile('/file'))).toBe('io');
    expect(await answerOf(() => list(fs, '/'))).toBe('io');
    expect(await answerOf(() => fs.remove('/file'))).toBe('io');
    expect(await answerOf(() => fs.createWriter('/file'))).toBe('io');
  });

  test('a root that was deleted has nothing', async () => {
    execFileSync('rmdir', [root]);
    expect(await answerOf(() => fs.stat('/file'))).toBe('not_found');
    expect(await answerOf(() => writeFile(fs, '/file', 'x'))).toBe('not_found');
  });

  test('a root that the host moved still works', async () => {
    execFileSync('mv', [root, `${root}-moved`]);
    await writeFile(fs, '/file', 'x');
    expect(readFileSync(`${root}-moved/file`, 'utf8')).toBe('x');
  });
});
