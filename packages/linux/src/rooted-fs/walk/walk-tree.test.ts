import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { list } from '../../testing/file-helpers.ts';
import { type Scratch, scratchOnDisk } from '../../testing/scratch.ts';
import { RootedFs } from '../rooted-fs.ts';
import { nameWindow } from './sorted-names.ts';
import { walkLimits } from './walk-levels.ts';
import type { WalkTreeOptions } from './walk-tree.ts';

let scratch: Scratch;
let fs: RootedFs;

beforeEach(() => {
  scratch = scratchOnDisk();
  fs = RootedFs.open(scratch.path);
});

afterEach(() => {
  fs.close();
  scratch[Symbol.dispose]();
});

const at = (path: string) => join(scratch.path, path);

async function paths(options: WalkTreeOptions = {}, start = '/'): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of fs.walk(start, options)) found.push(entry.relativePath);
  return found;
}

/** Few names and descriptors at a time, so that small trees need all that large ones do. */
function shrinkLimits(): void {
  const usual = { names: nameWindow.names, descriptors: walkLimits.descriptors };
  nameWindow.names = 2;
  walkLimits.descriptors = 2;
  onTestFinished(() => {
    nameWindow.names = usual.names;
    walkLimits.descriptors = usual.descriptors;
  });
}

function plantTree(): void {
  for (const path of ['a', 'a/b', 'a/b/c', 'a/z', 'a-', 'd', 'e/f/g/h']) {
    mkdirSync(at(path), { recursive: true });
  }
  for (const path of ['a/1', 'a/b/2', 'a/b/c/3', 'a/b/c/4', 'a.txt', 'e/f/g/h/5', 'e/6', '7']) {
    writeFileSync(at(path), path);
  }
  for (let index = 0; index < 20; index++) writeFileSync(at(`d/${index}`), '');
}

/** In tree order, as a slow reader would say it. */
function expectedPaths(directory = '', depth = Number.POSITIVE_INFINITY): string[] {
  if (depth === 0) return [];
  return readdirSync(at(directory), { withFileTypes: true })
    .toSorted((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)))
    .flatMap((entry) => {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      return [path, ...(entry.isDirectory() ? expectedPaths(path, depth - 1) : [])];
    });
}

test('entries are sorted by byte and carry names that are not UTF-8', async () => {
  const names = ['b', 'B', 'a', 'ä', '~', '\u{1F600}', '\uFF5E', 'a b', 'a\nb', '.hidden'];
  for (const name of names) writeFileSync(at(name), name);
  const broken = Buffer.from([0x61, 0xff, 0x62]);
  writeFileSync(Buffer.concat([Buffer.from(`${scratch.path}/`), broken]), '');
  const entries = await list(fs, '/');
  const expected = [...names.map((name) => Buffer.from(name)), broken].toSorted(Buffer.compare);
  expect(entries.map((entry) => entry.nameBytes)).toEqual(expected);
  expect(entries.find((entry) => entry.nameBytes.equals(broken))?.name).toBe('a\uFFFDb');
});

test('entries say what they are, symlinks with their text and broken ones too', async () => {
  mkdirSync(at('dir'));
  writeFileSync(at('file'), '12345', { mode: 0o640 });
  linkSync(at('file'), at('hard'));
  symlinkSync('/no/where', at('link'));
  const entries = await list(fs, '/');
  expect(entries.map((entry) => [entry.name, entry.stat.type])).toEqual([
    ['dir', 'directory'],
    ['file', 'file'],
    ['hard', 'file'],
    ['link', 'symlink'],
  ]);
  expect(entries[1]?.stat).toMatchObject({ size: 5, mode: 0o640, nlink: 2 });
  expect(entries[1]?.identity).toBe(entries[2]?.identity);
  expect(entries[3]?.targetBytes?.toString()).toBe('/no/where');
});

test.each(['usual limits', 'small limits'])('a tree comes in tree order: %s', async (limits) => {
  plantTree();
  if (limits === 'small limits') shrinkLimits();
  expect(await paths()).toEqual(expectedPaths());
  for (const depth of [1, 2, 3]) expect(await paths({ depth })).toEqual(expectedPaths('', depth));
  expect(await paths({}, '/a')).toEqual(expectedPaths('a').map((path) => path.slice(2)));
  const enter: WalkTreeOptions['enter'] = (entry) => entry.name !== 'b';
  expect(await paths({ enter })).toEqual(
    expectedPaths().filter((path) => !path.startsWith('a/b/')),
  );
});

test.each(['usual limits', 'small limits'])('goes on behind every entry: %s', async (limits) => {
  plantTree();
  if (limits === 'small limits') shrinkLimits();
  const all = expectedPaths();
  for (const [index, path] of all.entries()) {
    expect(await paths({ after: Buffer.from(path) })).toEqual(all.slice(index + 1));
  }
  rmSync(at('a/b'), { recursive: true });
  const rest = expectedPaths();
  expect(await paths({ after: Buffer.from('a/b/c/3') })).toEqual(rest.slice(rest.indexOf('a/z')));
  expect(await paths({ after: Buffer.from('zzz/y') })).toEqual([]);
});

test.each(['../x', 'a//b', '/a', 'a/', '.', 'a/..', 'a\0b', ''])(
  'a place that no walk has, %j, is refused',
  async (after) => {
    plantTree();
    await expect(paths({ after: Buffer.from(after) })).rejects.toMatchObject({
      kind: 'invalid_path',
    });
  },
);

test('no symlink is followed, and hidden areas are not entered', async () => {
  fs.close();
  fs = RootedFs.open(scratch.path, { hiddenAreas: ['/proc', '/run/hidden'] });
  for (const path of ['proc/1', 'run/hidden/x', 'run/shown', 'real']) {
    mkdirSync(at(path), { recursive: true });
  }
  symlinkSync('real', at('link'));
  symlinkSync('/proc', at('real/proc'));
  expect(await paths()).toEqual([
    'link',
    'proc',
    'real',
    'real/proc',
    'run',
    'run/hidden',
    'run/shown',
  ]);
  expect(await paths({}, '/link')).toEqual(['proc']);
  expect(await paths({}, '/real/proc')).toEqual([]);
  expect(await paths({ after: Buffer.from('proc/0') })).not.toContain('proc/1');
});

test('a file is opened itself, while the walk is at it, and nothing in its place', async () => {
  writeFileSync(at('a'), 'contents');
  writeFileSync(at('b'), '');
  writeFileSync(at('c'), '');
  writeFileSync(at('d'), '');
  const seen: (string | undefined)[] = [];
  let first;
  for await (const entry of fs.walk('/')) {
    first ??= entry;
    if (entry.name === 'b') rmSync(at('b'));
    if (entry.name === 'c') {
      rmSync(at('c'));
      execFileSync('mkfifo', [at('c')]);
    }
    if (entry.name === 'd') {
      rmSync(at('d'));
      symlinkSync('/etc/passwd', at('d'));
    }
    await using file = entry.openFile();
    seen.push(file && (await text(file.stream())));
  }
  expect(seen).toEqual(['contents', undefined, undefined, undefined]);
  expect(first?.openFile()).toBeUndefined();
});

test('a tree 600 levels deep is walked with few descriptors', async () => {
  mkdirSync(at(Array.from({ length: 600 }, () => 'd').join('/')), { recursive: true });
  writeFileSync(at('d/z'), '');
  let most = 0;
  let count = 0;
  for await (const entry of fs.walk('/')) {
    count++;
    if (count % 100 === 0) most = Math.max(most, readdirSync('/proc/self/fd').length);
    if (count === 601) expect(entry.relativePath).toBe('d/z');
  }
  expect(count).toBe(601);
  expect(most).toBeLessThan(150);
});

test('a directory deeper than a path can be is told, not left out', async () => {
  const name = 'n'.repeat(250);
  const script = `import os\nos.chdir(${JSON.stringify(scratch.path)})\nfor i in range(20):\n  os.mkdir(${JSON.stringify(name)})\n  os.chdir(${JSON.stringify(name)})\n`;
  execFileSync('python3', ['-c', script]);
  await expect(paths()).rejects.toMatchObject({ kind: 'invalid_path', errno: 'ENAMETOOLONG' });
  expect(await paths({ depth: 10 })).toHaveLength(10);
  await fs.remove(`/${name}`, { recursive: true });
});

test('what is moved away while the walk is below it is left out', async () => {
  shrinkLimits();
  mkdirSync(at('a/b/c/d'), { recursive: true });
  mkdirSync(at('other'));
  writeFileSync(at('a/b/z'), '');
  const found: string[] = [];
  for await (const entry of fs.walk('/')) {
    found.push(entry.relativePath);
    if (entry.name === 'd') {
      renameSync(at('a/b'), at('away'));
      mkdirSync(at('a/b'));
      writeFileSync(at('a/b/z2'), '');
    }
  }
  expect(found).toEqual(['a', 'a/b', 'a/b/c', 'a/b/c/d', 'other']);
});

test('stops when it is told to, and leaves no descriptor open', async () => {
  plantTree();
  const before = readdirSync('/proc/self/fd').length;
  const abort = new AbortController();
  const walk = async () => {
    for await (const entry of fs.walk('/', { signal: abort.signal })) {
      if (entry.name === '3') abort.abort();
    }
  };
  await expect(walk()).rejects.toThrow('aborted');
  for await (const entry of fs.walk('/')) if (entry.name === '3') break;
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

test('a directory large enough for the thread pool has every entry once', async () => {
  const names = Array.from({ length: 5000 }, (_, index) => `entry-with-a-long-name-${index}`);
  for (const name of names) symlinkSync('x', at(name));
  nameWindow.names = 700;
  onTestFinished(() => void (nameWindow.names = 65_536));
  expect(await paths()).toEqual(names.toSorted());
});
