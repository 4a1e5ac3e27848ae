import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvalidArchiveError, LocalFileError } from '../errors/client-errors.ts';
import { extractTree, type ExtractOptions } from './extract-tree.ts';
import { ignoreRules } from './ignore-rules.ts';
import { walkLocal } from './local-tree.ts';
import { packTree } from './pack-tree.ts';
import { SkippedEntries } from './skipped.ts';

let directory: string;
let from: string;
let to: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sandport-tree-'));
  from = join(directory, 'from');
  to = join(directory, 'to');
  mkdirSync(from);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const options: ExtractOptions = {
  maxEntries: 100_000,
  maxBytes: 1e9,
  unsafeLinks: 'skip',
  overwrite: true,
};

const entriesOf = (root: string, ignore: readonly string[] = []) => [
  ...walkLocal(root, ignoreRules(root, { ignore }), new SkippedEntries()),
];

const pack = (root: string, ignore: readonly string[] = []) =>
  packTree(root, entriesOf(root, ignore));

/** Path, type, mode, milliseconds and contents of all below a directory. */
const describeTree = (root: string) =>
  entriesOf(root).map(({ path, type, mode, mtimeNs, linkTarget }) => ({
    path,
    type,
    mode: type === 'symlink' ? 0 : mode,
    mtimeMs: mtimeNs / 1_000_000n,
    contents: type === 'file' ? readFileSync(join(root, path), 'latin1') : linkTarget,
  }));

async function bytesOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .map((text) => text.replaceAll(/[/\0\uFFFD]/g, '_'))
  .filter((text) => text !== '.' && text !== '..' && Buffer.byteLength(text) < 256);
const tree = fc.array(
  fc.record({
    path: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
    kind: fc.constantFrom('file', 'file', 'directory', 'symlink', 'large'),
    mode: fc.constantFrom(0o644, 0o600, 0o755, 0o444, 0o777),
    mtimeMs: fc.integer({ min: 0, max: 2_000_000_000_000 }),
    contents: fc.uint8Array({ maxLength: 2000 }),
  }),
  { maxLength: 12 },
);

interface Made {
  path: string;
  kind: string;
  mode: number;
  mtimeMs: number;
  contents: Uint8Array;
}

/** Makes what can be made of it: later entries may not fit earlier ones. */
function makeTree(root: string, entries: readonly Made[]): void {
  for (const { path, kind, mode, mtimeMs, contents } of entries) {
    const full = join(root, path);
    try {
      mkdirSync(join(full, '..'), { recursive: true });
      if (kind === 'directory') mkdirSync(full);
      else if (kind === 'symlink') symlinkSync(`x${contents.length}`, full);
      else writeFileSync(full, kind === 'large' ? Buffer.alloc(1_500_000, contents) : contents);
      if (kind === 'symlink') continue;
      chmodSync(full, kind === 'directory' ? mode | 0o700 : mode);
      utimesSync(full, mtimeMs / 1000, mtimeMs / 1000);
    } catch {
      // Something else is there.
    }
  }
}

describe('a packed and extracted tree', () => {
  test('is the same, whatever is in it and however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.integer({ min: 1, max: 70_000 }), async (entries, size) => {
        rmSync(from, { recursive: true, force: true });
        rmSync(to, { recursive: true, force: true });
        mkdirSync(from);
        makeTree(from, entries);
        const expected = describeTree(from);
        await extractTree(cut(await bytesOf(pack(from)), Math.max(size, 300)), to, options);
        expect(describeTree(to)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test('is what GNU tar reads and writes', async () => {
    mkdirSync(join(from, 'd/empty'), { recursive: true });
    writeFileSync(join(from, 'd', 'é'.repeat(90)), 'long name');
    writeFileSync(join(from, 'big'), Buffer.alloc(3_000_000, 'x'));
    symlinkSync('d/empty', join(from, 'link'));
    symlinkSync(`d/${'long'.repeat(50)}`, join(from, 'long-link'));
    linkSync(join(from, 'big'), join(from, 'd/other-name'));
    const expected = describeTree(from);
    mkdirSync(to);
    writeFileSync(join(directory, 'ours.tar'), await bytesOf(pack(from)));
    execFileSync('tar', ['-xf', join(directory, 'ours.tar'), '-C', to]);
    expect(describeTree(to)).toEqual(expected);
    expect(lstatSync(join(to, 'big')).nlink).toBe(2);
    for (const format of ['pax', 'gnu']) {
      const theirs = execFileSync('tar', ['-c', `--format=${format}`, '-C', from, '.'], {
        maxBuffer: 1e8,
      });
      const target = join(directory, format);
      const result = await extractTree(cut(theirs, 65_536), target, options);
      expect(result).toMatchObject({ files: 3, hardLinks: 1, symlinks: 2, directories: 2 });
      // The plain format of GNU keeps whole seconds.
      const seconds = (lines: ReturnType<typeof describeTree>) =>
        lines.map((line) => ({ ...line, mtimeMs: line.mtimeMs / 1000n }));
      expect(seconds(describeTree(target))).toEqual(seconds(expected));
      expect(lstatSync(join(target, 'big')).ino).toBe(lstatSync(join(target, 'd/other-name')).ino);
    }
  });

  test('is complete or refused wherever it is cut', async () => {
    writeFileSync(join(from, 'a'), 'abc');
    mkdirSync(join(from, 'd'));
    writeFileSync(join(from, 'd/b'), Buffer.alloc(3000, 'b'));
    const whole = await bytesOf(pack(from));
    for (let length = 0; length < whole.length; length += 97) {
      rmSync(to, { recursive: true, force: true });
      const half = extractTree(cut(whole.subarray(0, length), 1000), to, options);
      await expect(half).rejects.toThrow(InvalidArchiveError);
      const names = existsSync(to) ? readdirSync(to, { recursive: true }) : [];
      expect(names.filter((each) => String(each).includes('.part'))).toEqual([]);
      if (existsSync(join(to, 'd/b'))) expect(lstatSync(join(to, 'd/b')).size).toBe(3000);
    }
  });

  test('an error of the source leaves no half file', async () => {
    writeFileSync(join(from, 'big'), Buffer.alloc(5_000_000));
    const whole = await bytesOf(pack(from));
    async function* broken() {
      yield* cut(whole.subarray(0, 3_000_000), 65_536);
      throw new Error('the source broke');
    }
    await expect(extractTree(broken(), to, options)).rejects.toThrow('the source broke');
    expect(readdirSync(to)).toEqual([]);
  });
});

describe('packTree', () => {
  test('a file that grows or shrinks while it is sent is an error', async () => {
    for (const size of [10, 2_000_000]) {
      writeFileSync(join(from, 'f'), Buffer.alloc(size));
      const entries = entriesOf(from);
      appendFileSync(join(from, 'f'), 'more');
      await expect(bytesOf(packTree(from, entries))).rejects.toThrow(LocalFileError);
      writeFileSync(join(from, 'f'), Buffer.alloc(size - 1));
      await expect(bytesOf(packTree(from, entries))).rejects.toThrow(/changed/);
    }
  });

  test('a symlink that takes the place of a file is not followed', async () => {
    writeFileSync(join(from, 'f'), 'mine');
    const entries = entriesOf(from);
    rmSync(join(from, 'f'));
    symlinkSync('/etc/passwd', join(from, 'f'));
    await expect(bytesOf(packTree(from, entries))).rejects.toThrow(LocalFileError);
  });
});

describe('walkLocal', () => {
  test('leaves out what is ignored, and reports what cannot be sent', () => {
    mkdirSync(join(from, 'node_modules/x'), { recursive: true });
    writeFileSync(join(from, 'node_modules/x/y'), '');
    writeFileSync(join(from, 'a.log'), '');
    writeFileSync(join(from, 'keep.log'), '');
    writeFileSync(join(from, 'a.txt'), '');
    writeFileSync(join(from, '.sandportignore'), '*.log\n!keep.log\n');
    execFileSync('mkfifo', [join(from, 'fifo')]);
    writeFileSync(Buffer.concat([Buffer.from(`${from}/bad-`), Buffer.from([0xff])]), '');
    const skipped = new SkippedEntries();
    const rules = ignoreRules(from, { ignore: ['node_modules/'] });
    const paths = [...walkLocal(from, rules, skipped)].map(({ path }) => path);
    expect(paths).toEqual(['.sandportignore', 'a.txt', 'keep.log']);
    expect(skipped.listed.map(({ path }) => path).toSorted()).toEqual(['bad-\uFFFD', 'fifo']);
  });

  test('goes 500 directories deep', async () => {
    let deep = from;
    for (let level = 0; level < 500; level++) deep += '/d';
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'f'), 'deep');
    await extractTree(pack(from), to, options);
    expect(readFileSync(join(deep.replace(from, to), 'f'), 'utf8')).toBe('deep');
  });
});
