import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { answerOf } from '../../testing/file-helpers.ts';
import { type Scratch, notRoot, scratchOnDisk } from '../../testing/scratch.ts';
import { timeMemory } from './directory-times.ts';
import { MarkSet } from './mark-set.ts';
import { RootedFs } from '../rooted-fs.ts';
import { temporaryFileFeatures } from '../write/temporary-file.ts';
import type { TreeAttributes, TreeWriter } from './tree-writer.ts';

let scratch: Scratch;
let fs: RootedFs;
let writer: TreeWriter;

beforeEach(() => {
  scratch = scratchOnDisk();
  mkdirSync(join(scratch.path, 'proc'));
  fs = RootedFs.open(scratch.path);
  writer = fs.writeTree('/target');
});

afterEach(() => {
  writer[Symbol.dispose]();
  fs.close();
  scratch[Symbol.dispose]();
});

const at = (path: string) => join(scratch.path, 'target', path);
const name = (text: string) => Buffer.from(text);
const attributes: TreeAttributes = {
  mode: 0o644,
  owner: { uid: 0, gid: 0 },
  mtimeNs: 1_234_567_890_123_456_789n,
};
const file = (path: string, text = 'text', more: Partial<TreeAttributes> = {}) =>
  writer.file(name(path), { ...attributes, ...more }, name(text));
const directory = (path: string, more: Partial<TreeAttributes> = {}) =>
  writer.directory(name(path), { ...attributes, mode: 0o755, ...more });
const mtimeNs = (path: string) => lstatSync(at(path), { bigint: true }).mtimeNs;

async function streamFile(path: string, text: string): Promise<void> {
  const pending = writer.beginFile(name(path), attributes);
  try {
    pending.stream.end(text);
    await once(pending.stream, 'finish');
    pending.commit();
  } finally {
    await pending.abort();
  }
}

/** Kinds of file systems: with files that have no name until they are whole, and without. */
const makings = [
  ['unnamed files', true],
  ['named temporary files', false],
] as const;

describe.each(makings)('with %s', (_title, unnamedFiles) => {
  beforeEach(() => {
    temporaryFileFeatures.unnamedFiles = unnamedFiles;
    onTestFinished(() => void (temporaryFileFeatures.unnamedFiles = true));
  });

  test('entries get what they are said to have', async () => {
    directory('d', { mode: 0o1750 });
    file('d/small', 'small', { mode: 0o4755 });
    file('d/none', '');
    await streamFile('d/stream', 'stream');
    writer.symlink(name('d/link'), attributes, name('../no where'));
    writer.hardLink(name('d/hard'), name('./d/small'));
    await writer.finish();
    expect(readFileSync(at('d/small'), 'utf8')).toBe('small');
    expect(readFileSync(at('d/none'), 'utf8')).toBe('');
    expect(readFileSync(at('d/stream'), 'utf8')).toBe('stream');
    expect(readlinkSync(at('d/link'))).toBe('../no where');
    expect(statSync(at('d/hard')).ino).toBe(statSync(at('d/small')).ino);
    expect(statSync(at('d/small')).mode & 0o7777).toBe(0o4755);
    expect(statSync(at('d')).mode & 0o7777).toBe(0o1750);
    for (const path of ['d', 'd/small', 'd/none', 'd/stream', 'd/link']) {
      expect(mtimeNs(path), path).toBe(attributes.mtimeNs);
    }
    expect(readdirSync(at('d')).toSorted()).toEqual(['hard', 'link', 'none', 'small', 'stream']);
  });

  test('files and symlinks replace files and symlinks, nothing else', async () => {
    mkdirSync(at('dir'));
    execFileSync('mkfifo', [at('fifo')]);
    writeFileSync(at('file'), 'old');
    symlinkSync('/etc/passwd', at('link'));
    for (const path of ['file', 'link']) {
      file(path, 'new');
      expect(readFileSync(at(path), 'utf8')).toBe('new');
      await streamFile(path, 'newer');
      expect(readFileSync(at(path), 'utf8')).toBe('newer');
      writer.symlink(name(path), attributes, name('there'));
      expect(readlinkSync(at(path))).toBe('there');
      file('source');
      writer.hardLink(name(path), name('source'));
      writer.hardLink(name(path), name('source'));
      expect(readFileSync(at(path), 'utf8')).toBe('text');
    }
    for (const [path, kind] of [
      ['dir', 'exists'],
      ['fifo', 'not_a_regular_file'],
    ] as const) {
      expect(await answerOf(() => file(path))).toBe(kind);
      expect(await answerOf(() => streamFile(path, 'x'))).toBe(kind);
      expect(await answerOf(() => writer.symlink(name(path), attributes, name('x')))).toBe(kind);
      expect(await answerOf(() => writer.hardLink(name(path), name('source')))).toBe(kind);
    }
    const left = readdirSync(at('.'));
    expect(left.toSorted()).toEqual(['dir', 'fifo', 'file', 'link', 'source']);
  });
});

test.each(['/x', '//x', '..', '../x', 'a/../x', 'a/..', 'x/./../../y', 'a\0b', '/'])(
  'the name %j is refused',
  async (path) => {
    mkdirSync(at('a'));
    const operations = [
      () => file(path),
      () => directory(path),
      () => writer.symlink(name(path), attributes, name('x')),
      () => writer.beginFile(name(path), attributes),
      () => {
        file('source');
        writer.hardLink(name('link'), name(path));
      },
      () => writer.hardLink(name(path), name('source')),
    ];
    for (const operation of operations) expect(await answerOf(operation)).toBe('unsafe');
    expect(readdirSync(at('.')).toSorted()).toEqual(['a', 'source']);
  },
);

test('no way runs through a symlink, nor ends at one', async () => {
  mkdirSync(at('real'));
  symlinkSync('real', at('inside'));
  symlinkSync('/', at('outside'));
  for (const link of ['inside', 'outside']) {
    for (const path of [`${link}/x`, `${link}/a/b`, `real/../${link}/x`]) {
      expect(await answerOf(() => file(path))).toBe('unsafe');
      expect(await answerOf(() => directory(path))).toBe('unsafe');
    }
    expect(await answerOf(() => directory(link))).toBe('unsafe');
  }
  expect(readdirSync(at('real'))).toEqual([]);
});

test('a file in the way of a directory is told', async () => {
  file('f');
  expect(await answerOf(() => file('f/x'))).toBe('exists');
  expect(await answerOf(() => directory('f'))).toBe('exists');
  expect(await answerOf(() => directory('f/x/y'))).toBe('exists');
});

test('a hard link leads to a file that this writer has written, nowhere else', async () => {
  writeFileSync(at('there'), 'there before');
  file('mine');
  writer.symlink(name('link'), attributes, name('mine'));
  directory('d');
  for (const source of ['there', 'link', 'd', 'none', 'd/none', 'none/none', '.']) {
    expect(await answerOf(() => writer.hardLink(name('x'), name(source))), source).toBe('unsafe');
  }
  rmSync(at('mine'));
  writeFileSync(at('other'), '');
  expect(await answerOf(() => writer.hardLink(name('x'), name('other')))).toBe('unsafe');
});

test('hidden areas and what is too long are refused', async () => {
  using whole = fs.writeTree('/');
  for (const path of ['proc', 'proc/x', './proc/a/b', 'run/sandport/x', 'dev/x']) {
    expect(await answerOf(() => whole.file(name(path), attributes, name('x')))).toBe(
      'not_a_regular_file',
    );
  }
  expect(await answerOf(() => fs.writeTree('/proc'))).toBe('not_a_regular_file');
  expect(await answerOf(() => file('x'.repeat(256)))).toBe('invalid_path');
  expect(await answerOf(() => file('d/'.repeat(3000) + 'x'))).toBe('invalid_path');
  expect(readdirSync(join(scratch.path, 'proc'))).toEqual([]);
});

test('missing parents are made, of any depth, and many directories need few descriptors', async () => {
  file(`${'d/'.repeat(600)}x`);
  for (let index = 0; index < 300; index++) file(`many/${index}/x`);
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(150);
  expect(readdirSync(at('many'))).toHaveLength(300);
  writer.directory(name('many/1'), { ...attributes, mode: 0o755 });
  await writer.finish();
  expect(mtimeNs('many/1')).toBe(attributes.mtimeNs);
});

test('a new top takes the entry of itself, one that was there does not', async () => {
  directory('.', { mode: 0o700 });
  await writer.finish();
  expect(statSync(at('.')).mode & 0o777).toBe(0o700);
  expect(mtimeNs('.')).toBe(attributes.mtimeNs);
  using again = fs.writeTree('/target');
  again.directory(name('./'), { ...attributes, mode: 0o777, mtimeNs: 0n });
  await again.finish();
  expect(statSync(at('.')).mode & 0o777).toBe(0o700);
  expect(mtimeNs('.')).toBe(attributes.mtimeNs);
});

test.skipIf(notRoot)('owners are ids of the guest', async () => {
  using mapped = RootedFs.open(scratch.path, { idBase: 100_000, idCount: 2000 });
  using tree = mapped.writeTree('/mapped', { owner: { uid: 5, gid: 6 } });
  const owned = { ...attributes, owner: { uid: 1000, gid: 1001 } };
  tree.file(name('parent/file'), owned, name('x'));
  tree.symlink(name('link'), owned, name('x'));
  const idsOf = (path: string) => {
    const { uid, gid } = lstatSync(join(scratch.path, 'mapped', path));
    return [uid, gid];
  };
  expect(idsOf('parent')).toEqual([100_005, 100_006]);
  expect(idsOf('parent/file')).toEqual([101_000, 101_001]);
  expect(idsOf('link')).toEqual([101_000, 101_001]);
  chownSync(join(scratch.path, 'mapped/parent'), 0, 0);
  tree.directory(name('parent'), owned);
  expect(idsOf('parent')).toEqual([0, 0]);
  tree.directory(name('parent'), owned, { chown: true });
  expect(idsOf('parent')).toEqual([101_000, 101_001]);
  const foreign = { ...attributes, owner: { uid: 2000, gid: 0 } };
  expect(await answerOf(() => tree.file(name('x'), foreign, name('x')))).toBe('permission_denied');
});

test('what is given up leaves nothing', async () => {
  const before = readdirSync('/proc/self/fd').length;
  const pending = writer.beginFile(name('x'), attributes);
  pending.stream.write('half');
  await pending.abort();
  expect(() => pending.commit()).toThrow('ended');
  expect(readdirSync(at('.'))).toEqual([]);
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
});

test('a set of marks has what was put in, and nothing else', () => {
  const set = new MarkSet();
  const marks = Array.from({ length: 50_000 }, (_, index) => BigInt(index + 1) * 4_294_967_311n);
  for (const mark of [...marks, ...marks]) set.add(BigInt.asUintN(64, mark));
  expect(set.size).toBe(marks.length);
  expect(marks.every((mark) => set.has(BigInt.asUintN(64, mark)))).toBe(true);
  expect(marks.some((mark) => set.has(BigInt.asUintN(64, mark + 1n)))).toBe(false);
  expect(set.has(0n)).toBe(false);
});

test.each([{ directories: 2 }, { pathBytes: 5 }])(
  'times of more directories than are kept in mind (%o) are set all the same',
  async (less) => {
    const limits = { ...timeMemory };
    onTestFinished(() => {
      Object.assign(timeMemory, limits);
    });
    Object.assign(timeMemory, less);
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (const each of names) {
      directory(each);
      file(`${each}/file`);
    }
    for (const each of names) directory(each);
    await writer.finish();
    expect(names.map(mtimeNs)).toEqual(names.map(() => attributes.mtimeNs));
  },
);

test('a file to which no link was announced is not linked to', async () => {
  file('lonely', 'text', { mayBeLinked: false });
  expect(await answerOf(() => writer.hardLink(name('x'), name('lonely')))).toBe('unsafe');
});
