import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Scratch, scratchOnDisk } from '../../testing/scratch.ts';
import { RootedFs } from '../rooted-fs.ts';

let scratch: Scratch;
let root: string;
let fs: RootedFs;

beforeEach(() => {
  scratch = scratchOnDisk();
  root = join(scratch.path, 'root');
  mkdirSync(join(root, 'd'), { recursive: true });
  writeFileSync(join(scratch.path, 'outside'), 'outside');
  writeFileSync(join(root, 'file'), 'abcdef');
  fs = RootedFs.open(root);
});
afterEach(() => {
  fs.close();
  scratch[Symbol.dispose]();
});

const text = (path: string) => readFileSync(join(root, path), 'utf8');
const kindOf = (action: Promise<unknown>) =>
  action.then(
    () => 'done',
    (error: unknown) => (error as { kind: string }).kind,
  );

test('reads and writes anywhere in one file, whatever is renamed', async () => {
  await using file = await fs.holdFile('/file', { write: true });
  const bytes = Buffer.alloc(100);
  expect(await file.read(bytes.subarray(0, 3), 2)).toBe(3);
  expect(String(bytes.subarray(0, 3))).toBe('cde');
  expect(await file.read(bytes, 4)).toBe(2);
  expect(String(bytes.subarray(0, 3))).toBe('efe');
  expect(await file.read(bytes, 6)).toBe(0);
  renameSync(join(root, 'file'), join(root, 'moved'));
  writeFileSync(join(root, 'file'), 'other');
  await file.write(Buffer.from('XY'), 8);
  expect(text('moved')).toBe('abcdef\0\0XY');
  expect(text('file')).toBe('other');
  expect(file.stat()).toMatchObject({ type: 'file', size: 10 });
});

test('makes, cuts, appends and refuses as it was asked to', async () => {
  const write = { read: false, write: true };
  expect(await kindOf(fs.holdFile('/new', write))).toBe('not_found');
  expect(await kindOf(fs.holdFile('/none/new', { ...write, create: true }))).toBe('not_found');
  await using made = await fs.holdFile('/new', {
    ...write,
    create: true,
    exclusive: true,
    mode: 0o600,
  });
  await made.write(Buffer.from('new'), 0);
  expect(statSync(join(root, 'new')).mode & 0o7777).toBe(0o600);
  const exclusive = { ...write, create: true, exclusive: true };
  expect(await kindOf(fs.holdFile('/new', exclusive))).toBe('exists');
  expect(await kindOf(fs.holdFile('/d', write))).toBe('is_directory');
  await using end = await fs.holdFile('/new', { ...write, append: true });
  await end.write(Buffer.from('er'), 0);
  expect(text('new')).toBe('newer');
  await using cut = await fs.holdFile('/new', { ...write, truncate: true });
  expect(text('new')).toBe('');
  await cut.change({ sizeBytes: 3, mode: 0o644, mtimeNs: 1_500_000_000n * 1_000_000_000n });
  expect(text('new')).toBe('\0\0\0');
  expect(statSync(join(root, 'new')).mtimeMs).toBe(1_500_000_000_000);
});

test('links stay inside, and one that leads nowhere is made at its end', async () => {
  symlinkSync('../../outside', join(root, 'out'));
  symlinkSync('/d/target', join(root, 'dangling'));
  expect(await kindOf(fs.holdFile('/out', { write: true }))).toBe('not_found');
  await using file = await fs.holdFile('/dangling', { write: true, create: true });
  await file.write(Buffer.from('x'), 0);
  expect(text('d/target')).toBe('x');
  expect(readFileSync(join(scratch.path, 'outside'), 'utf8')).toBe('outside');
  expect(await kindOf(fs.holdFile('/proc/x', { write: true, create: true }))).toBe(
    'not_a_regular_file',
  );
});

test('a file that is opened to be written loses its set-id bits', async () => {
  chmodSync(join(root, 'file'), 0o6755);
  await using file = await fs.holdFile('/file', { write: true });
  expect(file.stat().mode).toBe(0o755);
});

test('a directory is made where nothing is, without parents', async () => {
  fs.makeNewDirectory('/d/e', { mode: 0o700 });
  expect(statSync(join(root, 'd/e')).mode & 0o7777).toBe(0o700);
  expect(() => fs.makeNewDirectory('/d/e')).toThrow(expect.objectContaining({ kind: 'exists' }));
  expect(() => fs.makeNewDirectory('/no/e')).toThrow(
    expect.objectContaining({ kind: 'not_found' }),
  );
});

test('a file system tells what room it has', async () => {
  const space = await fs.space('/d');
  expect(space.blockBytes).toBeGreaterThan(0n);
  expect(space.blocks).toBeGreaterThanOrEqual(space.availableBlocks);
});
