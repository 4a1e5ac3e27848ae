import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attachTree, bindTree, createIdMappedTree, unmount } from '../../mounts/trees.ts';
import { createUserNamespace } from '../../mounts/user-namespace.ts';
import { answerOf, readFile, writeFile } from '../../testing/file-helpers.ts';
import { type Scratch, notRoot, scratchOnDisk } from '../../testing/scratch.ts';
import { RootedFs } from '../rooted-fs.ts';
import { temporaryFileFeatures } from './temporary-file.ts';

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
  temporaryFileFeatures.unnamedFiles = true;
  fs.close();
  for (const name of ['volume', 'small', 'read-only']) {
    unmount(join(root, name), { detach: true });
  }
  scratch[Symbol.dispose]();
});

describe.each([
  ['with unnamed files', true],
  ['with named temporary files', false],
])('an atomic write %s', (_, unnamedFiles) => {
  beforeEach(() => {
    temporaryFileFeatures.unnamedFiles = unnamedFiles;
  });

  test('is not visible before its commit, and then whole', async () => {
    writeFileSync(join(root, 'file'), 'old');
    const writer = fs.createWriter('/file');
    writer.stream.write('new ');
    writer.stream.end('text');
    await once(writer.stream, 'finish');
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('old');
    expect(readdirSync(root).length).toBe(unnamedFiles ? 1 : 2);
    expect(writer.bytesWritten).toBe(8);
    expect(writer.commit().bytes).toBe(8);
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('new text');
    expect(readdirSync(root)).toEqual(['file']);
  });

  test('leaves nothing after an abort, however often and whenever it comes', async () => {
    const untouched = fs.createWriter('/a');
    await untouched.abort();
    await untouched.abort();
    const busy = fs.createWriter('/b');
    busy.stream.write(Buffer.alloc(1_000_000));
    busy.stream.write(Buffer.alloc(1_000_000));
    await busy.abort();
    expect(() => busy.commit()).toThrow('already ended');
    expect(readdirSync(root)).toEqual([]);
  });

  test('does not commit what has not ended', async () => {
    const writer = fs.createWriter('/file');
    writer.stream.write('half');
    expect(await answerOf(() => writer.commit())).toBe('io');
    await writer.abort();
    expect(readdirSync(root)).toEqual([]);
  });

  test('ends cleanly when its directory is removed or its name taken', async () => {
    const orphan = fs.createWriter('/gone/file');
    orphan.stream.end('x');
    await once(orphan.stream, 'finish');
    for (const name of readdirSync(join(root, 'gone'))) {
      execFileSync('rm', ['--', join(root, 'gone', name)]);
    }
    rmdirSync(join(root, 'gone'));
    expect(await answerOf(() => orphan.commit())).toBe('not_found');

    const late = fs.createWriter('/name');
    late.stream.end('x');
    await once(late.stream, 'finish');
    mkdirSync(join(root, 'name'));
    expect(await answerOf(() => late.commit())).toBe('is_directory');
    expect(readdirSync(root)).toEqual(['name']);
  });

  test('of many at once to one name leaves one of them whole', async () => {
    const texts = Array.from({ length: 20 }, (__, index) => `${index} `.repeat(100_000));
    await Promise.all(texts.map((text) => writeFile(fs, '/file', text)));
    expect(texts).toContain(await readFile(fs, '/file'));
    expect(readdirSync(root)).toEqual(['file']);
  });

  test.skipIf(notRoot)('on a full disk is `disk_full` and keeps the old file', async () => {
    const small = join(root, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
    writeFileSync(join(small, 'file'), 'old');
    const write = (): unknown => writeFile(fs, '/small/file', Buffer.alloc(3_000_000));
    expect(await answerOf(write)).toBe('disk_full');
    expect(readFileSync(join(small, 'file'), 'utf8')).toBe('old');
    expect(readdirSync(small)).toEqual(['file']);
  });

  test.skipIf(notRoot)('on a read-only mount is `read_only`', async () => {
    mkdirSync(join(root, 'source'));
    writeFileSync(join(root, 'source/file'), 'old');
    const target = fs.openMountTarget('/read-only');
    const tree = bindTree({ source: join(root, 'source'), readOnly: true });
    attachTree(tree, { fd: target });
    closeSync(tree);
    closeSync(target);
    expect(await answerOf(() => fs.createWriter('/read-only/file'))).toBe('read_only');
    expect(await answerOf(() => fs.createWriter('/read-only/a/b'))).toBe('read_only');
    expect(await answerOf(() => fs.remove('/read-only/file'))).toBe('read_only');
    expect(await answerOf(() => fs.makeDirectory('/read-only/x'))).toBe('read_only');
    expect(await readFile(fs, '/read-only/file')).toBe('old');
  });

  test.skipIf(notRoot)('on an id-mapped mount belongs to the guest on both sides', async () => {
    const base = 300_000;
    mkdirSync(join(root, 'source'));
    using mapped = RootedFs.open(root, { idBase: base });
    const namespace = await createUserNamespace({ base, count: 65536 });
    const target = fs.openMountTarget('/volume');
    const tree = createIdMappedTree({
      source: join(root, 'source'),
      userNamespaceFd: namespace,
    });
    attachTree(tree, { fd: target });
    for (const fd of [tree, target, namespace]) closeSync(fd);
    for (const owner of [
      { uid: 0, gid: 0 },
      { uid: 1000, gid: 100 },
    ]) {
      const path = `/dir-${owner.uid}/file`;
      await writeFile(mapped, `/volume${path}`, 'new', { owner });
      await writeFile(mapped, `/volume${path}`, 'newer', { defaultOwner: { uid: 7, gid: 7 } });
      expect(mapped.stat(`/volume${path}`)).toMatchObject(owner);
      expect(fs.stat(`/source${path}`)).toMatchObject(owner);
      expect(await readFile(mapped, `/volume${path}`)).toBe('newer');
    }
    await mapped.remove('/volume/dir-1000', { recursive: true });
    expect(readdirSync(join(root, 'source'))).toEqual(['dir-0']);
  });
});

test('the process keeps its identity after writes for others', async () => {
  await writeFile(fs, '/file', 'x', notRoot === undefined ? { owner: { uid: 9, gid: 9 } } : {});
  const status = readFileSync('/proc/thread-self/status', 'utf8');
  expect(/^Uid:\s+(\d+)\s+\1\s+\1\s+\1$/m.test(status)).toBe(true);
  const effective = /^CapEff:\s+(\w+)$/m.exec(status)?.[1];
  expect(effective).toBe(/^CapPrm:\s+(\w+)$/m.exec(status)?.[1]);
});
