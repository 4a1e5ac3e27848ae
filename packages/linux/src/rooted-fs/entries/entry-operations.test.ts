import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { mountOverlay } from '../../mounts/overlay.ts';
import { unmount } from '../../mounts/trees.ts';
import { answerOf } from '../../testing/file-helpers.ts';
import { type Scratch, notRoot, scratchOnDisk } from '../../testing/scratch.ts';
import { linkMemory } from '../copy/copy-tree.ts';
import { resolution } from '../paths/root-directory.ts';
import { RootedFs } from '../rooted-fs.ts';

let scratch: Scratch;
let root: string;
let fs: RootedFs;
const at = (path: string): string => join(root, path);
const text = (path: string): string => readFileSync(at(path), 'utf8');

beforeEach(() => {
  scratch = scratchOnDisk();
  root = join(scratch.path, 'root');
  mkdirSync(root);
  fs = RootedFs.open(root);
});

afterEach(() => {
  fs.close();
  unmount(at('volume'), { detach: true });
  unmount(root, { detach: true });
  scratch[Symbol.dispose]();
});

/** A tree with what is worth keeping. */
function plantTree(path: string): void {
  mkdirSync(at(`${path}/sub/empty`), { recursive: true });
  writeFileSync(at(`${path}/file`), 'text');
  writeFileSync(at(`${path}/sub/large`), Buffer.alloc(3_000_000, 'x'));
  linkSync(at(`${path}/file`), at(`${path}/sub/hard`));
  symlinkSync('../file', at(`${path}/sub/link`));
  symlinkSync('/nowhere', at(`${path}/dangling`));
  chmodSync(at(`${path}/file`), 0o4751);
  if (notRoot === undefined) chownSync(at(`${path}/sub`), 0, 77);
  chmodSync(at(`${path}/sub`), 0o2750);
  if (notRoot === undefined) chownSync(at(`${path}/file`), 12, 34);
  if (notRoot === undefined) chmodSync(at(`${path}/file`), 0o4751);
  for (const name of ['file', 'sub/large', 'sub/empty', 'sub', '.']) {
    utimesSync(at(`${path}/${name}`), 1_000_000_000.5, 1_000_000_000.5);
  }
}

/** All that is kept of a tree. */
function describeTree(path: string): string[] {
  const lines: string[] = [];
  const visit = (name: string): void => {
    const stat = lstatSync(at(`${path}/${name}`));
    const own = stat.isSymbolicLink()
      ? readlinkSync(at(`${path}/${name}`))
      : `${stat.mode.toString(8)} ${stat.mtimeMs} ${stat.isFile() ? stat.size : ''}`;
    lines.push(`${name} ${stat.uid}:${stat.gid} ${own} ${stat.isFile() ? stat.nlink : ''}`);
    if (!stat.isDirectory()) return;
    for (const child of readdirSync(at(`${path}/${name}`)).sort()) visit(`${name}/${child}`);
  };
  visit('.');
  return lines;
}

describe('move', () => {
  test('renames files, symlinks themselves and directories, and makes parents', async () => {
    plantTree('tree');
    const before = describeTree('tree');
    symlinkSync('tree/file', at('link'));
    await fs.move('/link', '/new/deep/link');
    expect(readlinkSync(at('new/deep/link'))).toBe('tree/file');
    await fs.move('/tree', '/new/tree/');
    expect(describeTree('new/tree')).toEqual(before);
    await fs.move('/new/tree/file', '/file');
    expect(text('file')).toBe('text');
    expect(readdirSync(root).sort()).toEqual(['file', 'new']);
  });

  test('replaces only when it is told to, and only like with like', async () => {
    writeFileSync(at('a'), 'a');
    writeFileSync(at('b'), 'b');
    mkdirSync(at('empty'));
    mkdirSync(at('full/sub'), { recursive: true });
    symlinkSync('b', at('link'));
    expect(await answerOf(() => fs.move('/a', '/b'))).toBe('exists');
    expect(await answerOf(() => fs.move('/a', '/link'))).toBe('exists');
    expect(await answerOf(() => fs.move('/full', '/empty'))).toBe('exists');
    await fs.move('/a', '/link', { overwrite: true });
    expect([text('link'), text('b'), lstatSync(at('link')).isFile()]).toEqual(['a', 'b', true]);
    const overwrite = { overwrite: true };
    expect(await answerOf(() => fs.move('/b', '/empty', overwrite))).toBe('is_directory');
    expect(await answerOf(() => fs.move('/full', '/b', overwrite))).toBe('not_a_directory');
    expect(await answerOf(() => fs.move('/empty', '/full', overwrite))).toBe('not_empty');
    await fs.move('/full', '/empty', overwrite);
    expect(readdirSync(at('empty'))).toEqual(['sub']);
    await fs.move('/b', '/b', overwrite);
    expect(await answerOf(() => fs.move('/b', '/b'))).toBe('exists');
    linkSync(at('b'), at('other name'));
    await fs.move('/b', '/other name', overwrite);
    expect(readdirSync(root).sort()).toEqual(['empty', 'link', 'other name']);
  });

  test('refuses the root, the way into itself, hidden areas and what is not there', async () => {
    mkdirSync(at('a/b'), { recursive: true });
    mkdirSync(at('run/sandport'), { recursive: true });
    symlinkSync('a', at('to-a'));
    writeFileSync(at('file'), 'x');
    expect(await answerOf(() => fs.move('/', '/x'))).toBe('busy');
    expect(await answerOf(() => fs.move('/a', '/'))).toBe('busy');
    expect(await answerOf(() => fs.move('/a', '/a/b/c'))).toBe('invalid_path');
    expect(await answerOf(() => fs.move('/a', '/to-a/new/er/c'))).toBe('invalid_path');
    expect(await answerOf(() => fs.move('/run', '/x'))).toBe('busy');
    expect(await answerOf(() => fs.move('/run/sandport', '/x'))).toBe('not_a_regular_file');
    expect(await answerOf(() => fs.move('/file', '/proc/x'))).toBe('not_a_regular_file');
    expect(await answerOf(() => fs.move('/missing', '/new/x'))).toBe('not_found');
    expect(await answerOf(() => fs.move('/file/', '/x'))).toBe('not_a_directory');
    expect(await answerOf(() => fs.move('/file', '/x/'))).toBe('not_a_directory');
    expect(await answerOf(() => fs.move('/a/..', '/x'))).toBe('invalid_path');
    expect(readdirSync(at('a/b'))).toEqual([]);
    expect(readdirSync(at('a'))).toEqual(['b']);
  });

  test.skipIf(notRoot)('between file systems keeps what it moves', async () => {
    mkdirSync(at('volume'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', at('volume')]);
    plantTree('tree');
    const before = describeTree('tree');
    await fs.move('/tree', '/volume/new/tree');
    expect(describeTree('volume/new/tree')).toEqual(before);
    mkdirSync(at('tree'));
    await fs.move('/volume/new/tree', '/tree', { overwrite: true });
    expect(describeTree('tree')).toEqual(before);
    await fs.move('/tree/file', '/volume/file');
    await fs.move('/tree/dangling', '/volume/dangling');
    expect(readlinkSync(at('volume/dangling'))).toBe('/nowhere');
    expect(lstatSync(at('volume/file')).mode & 0o7777).toBe(0o4751);
    expect(await answerOf(() => fs.move('/volume', '/x'))).toBe('busy');
    execFileSync('mkfifo', [at('tree/sub/fifo')]);
    const inTree = readdirSync(at('tree/sub')).sort();
    expect(await answerOf(() => fs.move('/tree', '/volume/tree'))).toBe('not_a_regular_file');
    expect(readdirSync(at('tree/sub')).sort()).toEqual(inTree);
    expect(readdirSync(at('volume')).sort()).toEqual(['dangling', 'file', 'new']);
  });

  test.skipIf(notRoot)('takes a directory of the template along', async () => {
    for (const name of ['lower/tree', 'upper', 'work']) {
      mkdirSync(join(scratch.path, name), { recursive: true });
    }
    const whole = root;
    root = join(scratch.path, 'lower');
    plantTree('tree');
    const before = describeTree('tree');
    root = whole;
    fs.close();
    mountOverlay({
      lower: [join(scratch.path, 'lower')],
      upper: join(scratch.path, 'upper'),
      work: join(scratch.path, 'work'),
      target: root,
    });
    fs = RootedFs.open(root);
    await fs.move('/tree', '/moved');
    // Overlay breaks hard links of the layer below when a file is copied up.
    const withoutLinks = (lines: string[]): string[] =>
      lines.map((line) => line.replace(/ \d+$/, ''));
    expect(withoutLinks(describeTree('moved'))).toEqual(withoutLinks(before));
    expect(readdirSync(root)).toEqual(['moved']);
    await fs.chmod('/moved', 0o700, { recursive: true });
    await fs.move('/moved', '/again');
    expect(readdirSync(root)).toEqual(['again']);
  });
});

describe('copy', () => {
  test('keeps modes, owners, times, symlinks and hard links', async () => {
    plantTree('tree');
    const before = describeTree('tree');
    await fs.copy('/tree', '/new/copy');
    expect(describeTree('new/copy')).toEqual(before);
    expect(describeTree('tree')).toEqual(before);
    await fs.copy('/tree/file', '/file');
    expect(describeTree('file')[0]).toBe(
      before
        .find((line) => line.startsWith('./file '))
        ?.replace('./file', '.')
        .replace(/2$/, '1'),
    );
    await fs.copy('/tree/sub/link', '/through');
    expect([text('through'), lstatSync(at('through')).isFile()]).toEqual(['text', true]);
    expect(readdirSync(root).sort()).toEqual(['file', 'new', 'through', 'tree']);
  });

  test.each([
    { less: { files: 1 }, linked: 2 },
    { less: { nameBytes: 2 }, linked: 4 },
  ])(
    'of more hard links than are kept in mind ($less) has files of their own',
    async ({ less, linked }) => {
      const limits = { ...linkMemory };
      onTestFinished(() => {
        Object.assign(linkMemory, limits);
      });
      Object.assign(linkMemory, less);
      mkdirSync(at('tree/second'), { recursive: true });
      for (const name of ['0', '1', '2']) {
        writeFileSync(at(`tree/${name}`), name);
        linkSync(at(`tree/${name}`), at(`tree/second/${name}`));
      }
      await fs.copy('/tree', '/copy');
      const names = ['0', '1', '2', 'second/0', 'second/1', 'second/2'];
      expect(names.map((name) => text(`copy/${name}`)).join('')).toBe('012012');
      const links = names.map((name) => lstatSync(at(`copy/${name}`)).nlink);
      expect(links.filter((count) => count === 2)).toHaveLength(linked);
    },
  );

  test('leaves FIFOs out and keeps holes', async () => {
    mkdirSync(at('tree'));
    execFileSync('mkfifo', [at('tree/fifo')]);
    writeFileSync(at('tree/sparse'), 'start');
    truncateSync(at('tree/sparse'), 2 ** 34);
    await fs.copy('/tree', '/copy');
    expect(readdirSync(at('copy'))).toEqual(['sparse']);
    const { size, blocks } = lstatSync(at('copy/sparse'));
    expect([size, blocks < 100]).toEqual([2 ** 34, true]);
    expect(await answerOf(() => fs.copy('/tree/fifo', '/x'))).toBe('not_a_regular_file');
  });

  test('replaces a file when it is told to, a directory never', async () => {
    writeFileSync(at('a'), 'a');
    writeFileSync(at('b'), 'b');
    symlinkSync('b', at('link'));
    mkdirSync(at('directory/sub'), { recursive: true });
    mkdirSync(at('empty'));
    expect(await answerOf(() => fs.copy('/a', '/b'))).toBe('exists');
    await fs.copy('/a', '/link', { overwrite: true });
    expect([text('link'), text('b')]).toEqual(['a', 'b']);
    const overwrite = { overwrite: true };
    await fs.copy('/a', '/a', overwrite);
    expect(text('a')).toBe('a');
    expect(await answerOf(() => fs.copy('/a', '/empty', overwrite))).toBe('is_directory');
    expect(await answerOf(() => fs.copy('/directory', '/empty', overwrite))).toBe('exists');
    expect(await answerOf(() => fs.copy('/directory', '/a', overwrite))).toBe('exists');
    expect(await answerOf(() => fs.copy('/directory', '/directory/sub/x'))).toBe('invalid_path');
    expect(await answerOf(() => fs.copy('/', '/x'))).toBe('invalid_path');
    expect(await answerOf(() => fs.copy('/a', '/x/'))).toBe('not_a_directory');
    expect(await answerOf(() => fs.copy('/missing', '/x/y'))).toBe('not_found');
    expect(readdirSync(root).sort()).toEqual(['a', 'b', 'directory', 'empty', 'link']);
  });

  test('that is stopped or fails leaves nothing', async () => {
    plantTree('tree');
    for (let index = 0; index < 3000; index++) writeFileSync(at(`tree/${index}`), 'x');
    const abort = new AbortController();
    const copying = fs.copy('/tree', '/copy', { signal: abort.signal });
    setTimeout(() => abort.abort(), 10);
    await expect(copying).rejects.toThrow('abort');
    expect(readdirSync(root)).toEqual(['tree']);
  });

  test.skipIf(notRoot)('on a full disk is `disk_full` and leaves nothing', async () => {
    mkdirSync(at('volume'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', at('volume')]);
    plantTree('tree');
    writeFileSync(at('volume/old'), 'old');
    const overwrite = { overwrite: true };
    expect(await answerOf(() => fs.copy('/tree', '/volume/copy'))).toBe('disk_full');
    const onto = (): unknown => fs.copy('/tree/sub/large', '/volume/old', overwrite);
    expect(await answerOf(onto)).toBe('disk_full');
    expect(await answerOf(() => fs.move('/tree', '/volume/tree'))).toBe('disk_full');
    expect([readdirSync(at('volume')), text('volume/old')]).toEqual([['old'], 'old']);
    expect(text('tree/file')).toBe('text');
  });

  test('of a deep tree works', { timeout: 30_000 }, async () => {
    const { maxAttempts } = resolution;
    const path = `/tree${'/d'.repeat(500)}`;
    fs.makeDirectory(path);
    await fs.copy('/tree', '/copy');
    expect(fs.stat(path.replace('tree', 'copy')).type).toBe('directory');
    expect(resolution.maxAttempts).toBe(maxAttempts);
  });
});

describe.skipIf(notRoot)('chmod and chown', () => {
  test('set one entry, or a tree with its symlinks but not where they lead', async () => {
    plantTree('tree');
    writeFileSync(at('outside'), 'x', { mode: 0o600 });
    symlinkSync('/outside', at('tree/out'));
    expect(await fs.chmod('/tree/file', 0o4700)).toBe(1);
    expect(fs.stat('/tree/file').mode).toBe(0o4700);
    // The top, file, sub, empty, large, hard: symlinks have no bits of their own.
    expect(await fs.chmod('/tree', 0o755, { recursive: true })).toBe(6);
    expect(fs.stat('/tree/sub/empty').mode).toBe(0o755);
    expect(fs.stat('/outside').mode).toBe(0o600);
    expect(await fs.chown('/tree', { uid: 5 }, { recursive: true })).toBe(9);
    expect(fs.stat('/outside').uid).toBe(0);
    expect(fs.stat('/tree/out', { followSymlinks: false })).toMatchObject({ uid: 5, gid: 0 });
    await fs.chown('/tree/out', { gid: 6 }, { followSymlinks: false });
    expect(fs.stat('/outside').gid).toBe(0);
    await fs.chown('/tree/out', { gid: 7 });
    expect(fs.stat('/outside')).toMatchObject({ uid: 0, gid: 7 });
    await fs.chmod('/tree/out', 0o640);
    expect(fs.stat('/outside').mode).toBe(0o640);
  });

  test('refuse special files, hidden areas and ids that the guest does not have', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    mkdirSync(at('proc'));
    mkdirSync(at('run/sandport'), { recursive: true });
    writeFileSync(at('run/sandport/x'), 'x', { mode: 0o600 });
    expect(await answerOf(() => fs.chmod('/fifo', 0o777))).toBe('not_a_regular_file');
    expect(await answerOf(() => fs.chmod('/proc', 0o777))).toBe('not_a_regular_file');
    expect(await answerOf(() => fs.chown('/proc', { uid: 1 }))).toBe('not_a_regular_file');
    expect(await answerOf(() => fs.chown('/', { uid: 65_536 }))).toBe('permission_denied');
    expect(await answerOf(() => fs.chmod('/missing', 0o777))).toBe('not_found');
    expect(await fs.chmod('/', 0o711, { recursive: true })).toBe(2);
    expect(lstatSync(at('proc')).mode & 0o7777).not.toBe(0o711);
    expect(lstatSync(at('run/sandport/x')).mode & 0o7777).toBe(0o600);
  });
});

describe('symlink and touch', () => {
  test('a symlink replaces only when it is told to', async () => {
    fs.symlink('/new/link', 'no/where');
    expect(readlinkSync(at('new/link'))).toBe('no/where');
    expect(await answerOf(() => fs.symlink('/new/link', 'x'))).toBe('exists');
    fs.symlink('/new/link', '../ünï', { overwrite: true });
    expect(readlinkSync(at('new/link'))).toBe('../ünï');
    expect(await answerOf(() => fs.symlink('/new', 'x', { overwrite: true }))).toBe('is_directory');
    expect(await answerOf(() => fs.symlink('/other/', 'x'))).toBe('not_a_directory');
    expect(await answerOf(() => fs.symlink('/proc/x', 'x'))).toBe('not_a_regular_file');
    expect(await answerOf(() => fs.symlink('/x', 'x'.repeat(5000)))).toBe('invalid_path');
    expect(readdirSync(at('new'))).toEqual(['link']);
  });

  test('touch sets the time to the nanosecond, and makes an empty file', async () => {
    await fs.touch('/a/b');
    expect(fs.stat('/a/b')).toMatchObject({ size: 0, mode: 0o644 });
    expect(Math.abs(Number(fs.stat('/a/b').mtimeNs / 1_000_000n) - Date.now())).toBeLessThan(5000);
    symlinkSync('b', at('a/link'));
    for (const mtimeNs of [1_700_000_000_123_456_789n, 0n, -1n, -1_000_000_001n]) {
      await fs.touch('/a/link', { mtimeNs });
      expect(fs.stat('/a/b').mtimeNs).toBe(mtimeNs);
    }
    await fs.touch('/a', { mtimeNs: 5n });
    expect(fs.stat('/a').mtimeNs).toBe(5n);
    expect(await answerOf(() => fs.touch('/missing', { create: false }))).toBe('not_found');
    expect(await answerOf(() => fs.touch('/missing/'))).toBe('is_directory');
    execFileSync('mkfifo', [at('fifo')]);
    expect(await answerOf(() => fs.touch('/fifo'))).toBe('not_a_regular_file');
    expect(await answerOf(() => fs.touch('/dev/x'))).toBe('not_a_regular_file');
  });
});

test('usage adds up a tree, hard links once', async () => {
  plantTree('tree');
  execFileSync('mkfifo', [at('tree/fifo')]);
  const usage = await fs.usage('/tree');
  expect(usage).toMatchObject({
    files: 3,
    directories: 2,
    symlinks: 2,
    others: 1,
    sizeBytes: 3_000_004,
  });
  const du = execFileSync('du', ['-s', '-B1', at('tree')]).toString();
  expect(usage.diskBytes).toBe(Number.parseInt(du, 10));
  expect(await fs.usage('/tree/file')).toMatchObject({ files: 1, directories: 0, sizeBytes: 4 });
  expect(await answerOf(() => fs.usage('/missing'))).toBe('not_found');
});
