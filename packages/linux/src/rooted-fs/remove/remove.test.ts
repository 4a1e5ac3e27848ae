import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { byteString } from '../../ffi/byte-string.ts';
import { mountOverlay } from '../../mounts/overlay.ts';
import { attachTree, bindTree, unmount } from '../../mounts/trees.ts';
import { answerOf, list, writeFile } from '../../testing/file-helpers.ts';
import { makeDeepTree } from '../../testing/deep-tree.ts';
import { type Scratch, notRoot, scratchInMemory, scratchOnDisk } from '../../testing/scratch.ts';
import { removeTree } from './remove-host-tree.ts';
import { openChild, removal } from './remove-tree.ts';
import { RootedFs } from '../rooted-fs.ts';

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
  for (const name of ['root/mnt/data', 'root/file-mount', 'merged']) {
    unmount(join(scratch.path, name), { detach: true });
  }
  scratch[Symbol.dispose]();
});

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('recursive removal', () => {
  test('takes any depth with few descriptors and leaks none', async () => {
    makeDeepTree(root, 'deep', 4000);
    const before = openDescriptors();
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, openDescriptors());
    }, 1);
    await fs.remove('/deep', { recursive: true });
    clearInterval(timer);
    expect(readdirSync(root)).toEqual([]);
    expect(openDescriptors()).toBe(before);
    expect(most).toBeLessThan(before + 100);
  });

  test('lets other work run between its steps', { timeout: 60_000 }, async () => {
    using memory = scratchInMemory();
    mkdirSync(join(memory.path, 'many'));
    for (let index = 0; index < 60_000; index++) {
      symlinkSync('x', join(memory.path, 'many', `${index}`));
    }
    using many = RootedFs.open(memory.path);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    expect((await list(many, '/many')).length).toBe(60_000);
    const turnsOfList = turns;
    await many.remove('/many', { recursive: true });
    clearInterval(timer);
    expect(turnsOfList).toBeGreaterThan(3);
    expect(turns - turnsOfList).toBeGreaterThan(3);
    expect(readdirSync(memory.path)).toEqual([]);
  });

  test('never descends through what became a symlink', () => {
    mkdirSync(join(scratch.path, 'outside'));
    for (const [name, target] of Object.entries({ out: '../outside', absolute: '/', self: '.' })) {
      symlinkSync(target, join(root, name));
    }
    writeFileSync(join(root, 'file'), '');
    const directory = openSync(root, 'r');
    try {
      for (const name of ['out', 'absolute', 'self', 'file', 'missing']) {
        expect(openChild(directory, byteString(name))).toBeUndefined();
      }
      expect(() => openChild(directory, byteString('..'))).toThrow();
    } finally {
      closeSync(directory);
    }
  });

  test('stops at an abort and leaves the rest', async () => {
    makeDeepTree(root, 'deep', 2000);
    const reason = new Error('enough');
    const aborted = fs.remove('/deep', { recursive: true, signal: AbortSignal.abort(reason) });
    await expect(aborted).rejects.toBe(reason);
    expect(existsSync(join(root, 'deep'))).toBe(true);
    const before = openDescriptors();
    const controller = new AbortController();
    const late = fs.remove('/deep', { recursive: true, signal: controller.signal });
    controller.abort(reason);
    await expect(late).rejects.toBe(reason);
    expect(openDescriptors()).toBe(before);
    await removeTree(root, 'deep');
  });

  test('gives up on a directory that is filled faster than it is emptied', async () => {
    const { extraEntries } = removal;
    removal.extraEntries = 100;
    mkdirSync(join(root, 'busy'));
    const stop = new AbortController();
    const fill = async (): Promise<void> => {
      for (let index = 0; !stop.signal.aborted; index++) {
        await writeFile(fs, `/busy/${index}`, 'x').catch(() => {});
      }
    };
    const fillers = [fill(), fill(), fill()];
    try {
      const answer = await answerOf(() => fs.remove('/busy', { recursive: true }));
      expect(['undefined', 'not_empty']).toContain(answer);
    } finally {
      removal.extraEntries = extraEntries;
      stop.abort();
      await Promise.all(fillers);
    }
  });

  test('large files go too', async () => {
    for (const name of ['a', 'b']) {
      writeFileSync(join(root, name), '');
      truncateSync(join(root, name), 2 ** 40);
    }
    await fs.remove('/a');
    await fs.remove('/b', { recursive: true });
    expect(readdirSync(root)).toEqual([]);
  });
});

describe.skipIf(notRoot)('mounts', () => {
  test('are never crossed, and nothing beside them is removed', async () => {
    mkdirSync(join(scratch.path, 'volume'));
    writeFileSync(join(scratch.path, 'volume/file'), 'kept');
    await writeFile(fs, '/mnt/beside', 'kept');
    const target = fs.openMountTarget('/mnt/data');
    const tree = bindTree({ source: join(scratch.path, 'volume') });
    attachTree(tree, { fd: target });
    for (const fd of [tree, target]) closeSync(fd);
    for (const path of ['/mnt', '/mnt/data']) {
      expect(await answerOf(() => fs.remove(path, { recursive: true }))).toBe('busy');
    }
    expect(await answerOf(() => fs.remove('/mnt/data'))).toBe('busy');
    expect(await answerOf(() => removeTree(root, 'mnt'))).toBe('busy');
    expect(readdirSync(join(root, 'mnt/data'))).toEqual(['file']);
    await fs.remove('/mnt/data/file');
    expect(readdirSync(join(scratch.path, 'volume'))).toEqual([]);
  });

  test('a file that something is mounted on stays', async () => {
    writeFileSync(join(root, 'file-mount'), '');
    const tree = bindTree({ source: '/etc/hostname' });
    attachTree(tree, { path: join(root, 'file-mount') });
    closeSync(tree);
    expect(await answerOf(() => fs.remove('/file-mount'))).toBe('busy');
  });

  test('a template below an overlay stays whole, merged directories go', async () => {
    for (const name of ['upper', 'work', 'merged']) mkdirSync(join(scratch.path, name));
    const lower = join(scratch.path, 'lower');
    mkdirSync(join(lower, `top${'/d'.repeat(60)}`), { recursive: true });
    writeFileSync(join(lower, 'top/file'), 'template');
    const [upper, work, target] = ['upper', 'work', 'merged'].map((name) =>
      join(scratch.path, name),
    );
    mountOverlay({ lower: [lower], upper: upper ?? '', work: work ?? '', target: target ?? '' });
    using merged = RootedFs.open(target ?? '');
    await writeFile(merged, `/top${'/d'.repeat(50)}/new${'/n'.repeat(60)}`, 'x');
    await merged.remove('/top', { recursive: true });
    expect(await list(merged, '/')).toEqual([]);
    expect(existsSync(join(lower, `top${'/d'.repeat(60)}`))).toBe(true);
  });
});

describe('removeTree', () => {
  test('is idempotent and takes names of any bytes', async () => {
    const odd = Buffer.concat([Buffer.from(join(root, 'odd')), Buffer.from([0x2f, 0xff, 0x0a])]);
    mkdirSync(join(root, 'odd'));
    writeFileSync(odd, '');
    makeDeepTree(join(root, 'odd'), 'deep', 1000);
    await removeTree(root, 'odd');
    await removeTree(root, 'odd');
    expect(readdirSync(root)).toEqual([]);
  });

  test.skipIf(notRoot)('clears the immutable and append-only flags', async () => {
    mkdirSync(join(root, 'locked/inner'), { recursive: true });
    for (const name of ['locked/inner/file', 'locked/log']) writeFileSync(join(root, name), '');
    const change = (...args: string[]): void => {
      execFileSync('chattr', args, { cwd: root, stdio: 'ignore' });
    };
    try {
      change('+i', 'locked/inner/file', 'locked/inner');
      change('+a', 'locked/log', 'locked');
    } catch {
      return; // This disk's file system has no such flags.
    }
    expect(await answerOf(() => fs.remove('/locked/log'))).toBe('permission_denied');
    await removeTree(root, 'locked');
    expect(readdirSync(root)).toEqual([]);
  });

  test('takes one name only', async () => {
    for (const name of ['', '.', '..', 'a/b']) {
      await expect(removeTree(root, name)).rejects.toThrow(TypeError);
    }
  });
});
