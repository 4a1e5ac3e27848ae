import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountOverlay } from '../../mounts/overlay.ts';
import { unmount } from '../../mounts/trees.ts';
import { answerOf } from '../../testing/file-helpers.ts';
import { type Scratch, notRoot, scratchOnDisk } from '../../testing/scratch.ts';
import { RootedFs } from '../rooted-fs.ts';
import type { StagedRef } from './staged-file.ts';

let scratch: Scratch;
let root: string;
let fs: RootedFs;

beforeEach(() => {
  scratch = scratchOnDisk();
  root = join(scratch.path, 'root');
  mkdirSync(join(root, 'dir'), { recursive: true });
  fs = RootedFs.open(root);
});

afterEach(() => {
  fs.close();
  unmount(root, { detach: true });
  scratch[Symbol.dispose]();
});

const inside = (path: string) => join(root, path);

async function append(ref: StagedRef, offset: number, data: string): Promise<number> {
  await using appended = await fs.staged.append(ref, offset);
  const finished = once(appended.stream, 'finish');
  appended.stream.end(data);
  await finished;
  return appended.bytesWritten;
}

describe('a staged file', () => {
  test('takes bytes piece by piece and then the name of its target', async () => {
    const ref = fs.staged.create('/dir/new/file', {});
    expect(ref.path).toMatch(/^\/dir\/new\/\.sandport-upload-[0-9a-f]{32}$/);
    expect(statSync(inside(ref.path)).mode & 0o777).toBe(0o600);
    expect(await append(ref, 0, 'first ')).toBe(6);
    expect(await append(ref, 6, 'sec')).toBe(3);
    expect(await append(ref, 8, 'cond')).toBe(4);
    expect(fs.staged.size(ref)).toBe(12);
    expect(await buffer(fs.staged.open(ref).stream())).toEqual(Buffer.from('first second'));
    await fs.staged.truncate(ref, 5);
    const { etag, size } = await fs.staged.publish(ref, '/dir/new/file', { mode: 0o640 });
    expect(size).toBe(5);
    expect(fs.stat('/dir/new/file')).toMatchObject({ etag, mode: 0o640, nlink: 1 });
    expect(readdirSync(inside('dir/new'))).toEqual(['file']);
    expect(fs.staged.size(ref)).toBeUndefined();
    fs.staged.discard(ref);
  });

  test('replaces a file as a write does: mode kept, conditions looked at, symlinks followed', async () => {
    writeFileSync(inside('file'), 'old', { mode: 0o600 });
    symlinkSync('../file', inside('dir/link'));
    const ref = fs.staged.create('/dir/link', {});
    expect(ref.path).toMatch(/^\/\.sandport/);
    await append(ref, 0, 'new');
    const never = { precondition: () => false };
    expect(await answerOf(() => fs.staged.publish(ref, '/dir/link', never))).toBe(
      'precondition_failed',
    );
    expect(readFileSync(inside('file'), 'utf8')).toBe('old');
    await fs.staged.publish(ref, '/dir/link', { durable: true });
    expect(readFileSync(inside('file'), 'utf8')).toBe('new');
    expect(statSync(inside('file')).mode & 0o777).toBe(0o600);
    expect(readdirSync(root).sort()).toEqual(['dir', 'file']);
  });

  test('goes to where its target is by now', async () => {
    const ref = fs.staged.create('/dir/file', {});
    await append(ref, 0, 'moved');
    mkdirSync(inside('elsewhere'));
    await fs.staged.publish(ref, '/elsewhere/file', {});
    expect(readFileSync(inside('elsewhere/file'), 'utf8')).toBe('moved');
    expect(readdirSync(inside('dir'))).toEqual([]);
  });

  test('is not made where a write is refused', async () => {
    writeFileSync(inside('file'), 'old');
    const create = (path: string, options = {}) =>
      answerOf(() => fs.staged.create(path, options).path.replace(/[^/]*$/, ''));
    expect(await create('/dir')).toBe('is_directory');
    expect(await create('/file/below')).toBe('not_a_directory');
    expect(await create('/proc/file')).toBe('not_a_regular_file');
    expect(await create('/file', { precondition: () => false })).toBe('precondition_failed');
    const latin1 = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]);
    mkdirSync(latin1);
    symlinkSync(Buffer.from([0xff]), inside('odd'));
    expect(await create('/odd/file')).toBe('invalid_path');
    expect(readdirSync(latin1)).toEqual([]);
  });

  test.each<[string, (path: string) => void]>([
    ['removed', unlinkSync],
    ['a symlink to a file outside', (path) => replace(path, () => symlinkSync(victim(), path))],
    ['another name of a file', (path) => replace(path, () => linkSync(victim(), path))],
    ['a FIFO', (path) => replace(path, () => execFileSync('mkfifo', [path]))],
    ['a directory', (path) => replace(path, () => mkdirSync(path))],
    ['another file', (path) => replace(path, () => writeFileSync(path, 'theirs'))],
    ['in another directory', () => renameSync(inside('dir'), inside('aside'))],
  ])('that is %s by now is not touched', async (_, meddle) => {
    writeFileSync(victim(), 'victim');
    const ref = fs.staged.create('/dir/file', {});
    await append(ref, 0, 'mine');
    meddle(inside(ref.path));
    expect(fs.staged.size(ref)).toBeUndefined();
    expect(await answerOf(() => append(ref, 4, 'more'))).toBe('not_found');
    expect(await answerOf(() => fs.staged.truncate(ref, 0))).toBe('not_found');
    expect(await answerOf(() => fs.staged.open(ref))).toBe('not_found');
    expect(await answerOf(() => fs.staged.publish(ref, '/dir/file', {}))).toBe('not_found');
    const before = existsSync(inside(ref.path));
    fs.staged.discard(ref);
    expect(existsSync(inside(ref.path))).toBe(before);
    expect(readFileSync(victim(), 'utf8')).toBe('victim');
  });

  test('is removed from a copy of the disk, but not from a mount that the copy shares', async () => {
    const volume = join(scratch.path, 'volume');
    mkdirSync(volume);
    mkdirSync(inside('vol'));
    execFileSync('mount', ['--bind', volume, inside('vol')]);
    try {
      const [own, shared] = ['/dir/file', '/vol/file'].map((path) => fs.staged.create(path, {}));
      if (own === undefined || shared === undefined) throw new Error('not made');
      // The copy has other numbers and births.
      const copy = { ...own, identity: 'another' };
      fs.staged.discardCopy(copy);
      fs.staged.discardCopy(copy);
      expect(readdirSync(inside('dir'))).toEqual([]);
      fs.staged.discardCopy(shared);
      expect(fs.staged.size(shared)).toBe(0);
      writeFileSync(inside('dir/kept'), 'kept');
      fs.staged.discardCopy({ path: '/dir/kept', identity: '' });
      expect(readdirSync(inside('dir'))).toEqual(['kept']);
    } finally {
      unmount(inside('vol'), { detach: true });
    }
  });

  test('that got another name is used no more, and discarded by its own name', async () => {
    const ref = fs.staged.create('/dir/file', {});
    await append(ref, 0, 'mine');
    linkSync(inside(ref.path), inside('second'));
    expect(fs.staged.size(ref)).toBeUndefined();
    expect(await answerOf(() => append(ref, 4, 'more'))).toBe('not_found');
    fs.staged.discard(ref);
    expect(readdirSync(inside('dir'))).toEqual([]);
    expect(readFileSync(inside('second'), 'utf8')).toBe('mine');
  });

  test.skipIf(notRoot !== undefined)(
    `is found again when the overlay it lies on was mounted anew${notRoot ?? ''}`,
    async () => {
      fs.close();
      const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => {
        mkdirSync(join(scratch.path, name));
        return join(scratch.path, name);
      });
      const mount = () =>
        mountOverlay({ lower: [lower ?? ''], upper: upper ?? '', work: work ?? '', target: root });
      mount();
      fs = RootedFs.open(root);
      const ref = fs.staged.create('/deep/er/file', {});
      await append(ref, 0, 'before ');
      fs.close();
      unmount(root);
      mount();
      fs = RootedFs.open(root);
      expect(fs.staged.size(ref)).toBe(7);
      await append(ref, 7, 'after');
      await fs.staged.publish(ref, '/deep/er/file', {});
      expect(readFileSync(inside('deep/er/file'), 'utf8')).toBe('before after');
    },
  );
});

const victim = () => join(scratch.path, 'victim');

function replace(path: string, make: () => void): void {
  unlinkSync(path);
  make();
}
