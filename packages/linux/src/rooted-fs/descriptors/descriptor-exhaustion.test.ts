import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layerChanges } from '../../layers/layer-changes.ts';
import { settledDescriptors, withFewDescriptors } from '../../testing/few-descriptors.ts';
import { appendFile, readFile, writeFile } from '../../testing/file-helpers.ts';
import { type Scratch, scratchOnDisk } from '../../testing/scratch.ts';
import { RootedFs, type RootedFsOptions } from '../rooted-fs.ts';

/** More than any operation here has open at a time. */
const MOST = 16;

let scratch: Scratch;
let root: string;
let fs: RootedFs;

beforeEach(() => {
  scratch = scratchOnDisk();
  root = join(scratch.path, 'root');
  mkdirSync(join(root, 'tree/a/b'), { recursive: true });
  mkdirSync(join(root, 'lower/tree/a/b'), { recursive: true });
  writeFileSync(join(root, 'tree/a/file'), 'file');
  writeFileSync(join(root, 'tree/a/large'), '');
  truncateSync(join(root, 'tree/a/large'), 9 * 1024 * 1024);
  writeFileSync(join(root, 'lower/tree/a/file'), 'elif');
  linkSync(join(root, 'tree/a/file'), join(root, 'tree/a/b/second'));
  symlinkSync('a', join(root, 'tree/link'));
  const options: RootedFsOptions = { notesDirectory: join(scratch.path, 'notes') };
  fs = RootedFs.open(root, options);
});

afterEach(() => {
  fs.close();
  scratch[Symbol.dispose]();
});

async function drain(entries: AsyncIterable<unknown>): Promise<void> {
  for await (const each of entries) void each;
}

async function writeTree(): Promise<void> {
  const attributes = { mode: 0o755, owner: { uid: 0, gid: 0 }, mtimeNs: 0n };
  using writer = fs.writeTree('/written');
  writer.directory(Buffer.from('d'), attributes);
  writer.file(Buffer.from('d/f'), attributes, Buffer.from('x'));
  writer.symlink(Buffer.from('d/s'), attributes, Buffer.from('f'));
  writer.hardLink(Buffer.from('d/h'), Buffer.from('d/f'));
  const file = writer.beginFile(Buffer.from('e/f/g'), attributes);
  await file.abort();
  await writer.finish();
}

async function stage(): Promise<void> {
  const ref = fs.staged.create('/tree/staged', {});
  try {
    await using appended = await fs.staged.append(ref, 0);
    appended.stream.end('x');
    await fs.staged.truncate(ref, 0);
    fs.staged.size(ref);
    await fs.staged.open(ref).close();
    await fs.staged.publish(ref, '/tree/published', { durable: true });
  } finally {
    fs.staged.discard(ref);
  }
}

async function hold(): Promise<void> {
  await using file = await fs.holdFile('/tree/a/held', { write: true, create: true });
  await file.write(Buffer.from('x'), 0);
}

async function watch(): Promise<void> {
  using watcher = await fs.watch('/tree');
  void watcher;
}

const operations: Readonly<Record<string, () => unknown>> = {
  read: () => readFile(fs, '/tree/link/file'),
  write: () => writeFile(fs, '/tree/a/file', 'new'),
  'conditional write': () => writeFile(fs, '/new/x', 'new', { precondition: () => true }),
  append: () => appendFile(fs, '/tree/a/file', 'more'),
  hold,
  'make a new directory': () => fs.makeNewDirectory(`/tree/${randomUUID()}`),
  space: () => fs.space('/tree'),
  stat: () => fs.stat('/tree/link'),
  'make directory': () => fs.makeDirectory('/p/q/r'),
  locate: () => fs.locate('/tree/none/x'),
  touch: () => fs.touch('/touched/x'),
  symlink: () => fs.symlink('/tree/link', 'b', { overwrite: true }),
  'copy a file': () => fs.copy('/tree/a/file', '/tree/copy', { overwrite: true }),
  'copy a directory': () => fs.copy('/tree', '/copied'),
  move: () => fs.move('/tree/a/file', '/tree/a/moved', { overwrite: true }),
  chmod: () => fs.chmod('/tree', 0o755, { recursive: true }),
  usage: () => fs.usage('/tree'),
  walk: () => drain(fs.walk('/tree')),
  remove: () => fs.remove('/tree/a', { recursive: true }),
  changes: () => drain(layerChanges({ upper: root, lower: join(root, 'lower') })),
  'write a tree': writeTree,
  stage,
  watch,
};

test.each(Object.entries(operations))(
  '%s leaves no descriptor behind where there are too few',
  async (_, operation) => {
    const before = await settledDescriptors();
    const outcomes = new Set<string>();
    for (let count = 0; count <= MOST; count++) {
      await withFewDescriptors(count, async () => {
        try {
          await operation();
          outcomes.add('done');
        } catch {
          outcomes.add('failed');
        }
      });
    }
    expect(await settledDescriptors()).toBe(before);
    expect([...outcomes].toSorted()).toEqual(['done', 'failed']);
  },
);
