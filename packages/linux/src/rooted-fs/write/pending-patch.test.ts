import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unmount } from '../../mounts/trees.ts';
import { answerOf, writeFile } from '../../testing/file-helpers.ts';
import { type Scratch, notRoot, scratchOnDisk } from '../../testing/scratch.ts';
import type { CreateWriterOptions } from './begin-write.ts';
import { RootedFs } from '../rooted-fs.ts';
import { temporaryFileFeatures } from './temporary-file.ts';

let scratch: Scratch;
let root: string;
let fs: RootedFs;
const at = (path: string): string => join(root, path);

beforeEach(() => {
  scratch = scratchOnDisk();
  root = join(scratch.path, 'root');
  mkdirSync(root);
  fs = RootedFs.open(root);
});

afterEach(() => {
  temporaryFileFeatures.unnamedFiles = true;
  fs.close();
  unmount(at('small'), { detach: true });
  scratch[Symbol.dispose]();
});

type PatchOptions = CreateWriterOptions & { offset?: number; durable?: boolean };

async function patch(path: string, data: string | Buffer, options: PatchOptions = {}) {
  const { durable = false, ...rest } = options;
  const pending = fs.createPatch(path, rest);
  try {
    const finished = once(pending.stream, 'finish');
    pending.stream.end(data);
    await finished;
    return await pending.commit({ durable });
  } finally {
    await pending.abort();
  }
}

const text = (path: string): string => readFileSync(at(path), 'latin1');

describe.each([
  ['with unnamed files', true],
  ['with named temporary files', false],
])('a change in place %s', (_, unnamedFiles) => {
  beforeEach(() => {
    temporaryFileFeatures.unnamedFiles = unnamedFiles;
  });

  test('appends, or writes at an offset, and makes what is missing', async () => {
    expect(await patch('/new/log', 'one\n')).toMatchObject({ bytes: 4, size: 4 });
    const done = await patch('/new/log', 'two\n');
    expect(done).toMatchObject({ bytes: 4, size: 8, etag: fs.stat('/new/log').etag });
    await patch('/new/log', 'XY', { offset: 1 });
    expect(text('new/log')).toBe('oXY\ntwo\n');
    await patch('/new/log', 'end', { offset: 10 });
    expect(text('new/log')).toBe('oXY\ntwo\n\0\0end');
    await patch('/new/log', '');
    await patch('/new/log', '', { offset: 100 });
    expect(fs.stat('/new/log').size).toBe(13);
    await patch('/hole', 'x', { offset: 5_000_000 });
    expect([fs.stat('/hole').size, lstatSync(at('hole')).blocks < 100]).toEqual([5_000_001, true]);
    expect(readdirSync(at('new'))).toEqual(['log']);
    expect(readdirSync(root).sort()).toEqual(['hole', 'new']);
  });

  test('through a symlink changes its target; the file stays the one that it was', async () => {
    writeFileSync(at('file'), 'a');
    symlinkSync('file', at('link'));
    const { ino } = fs.stat('/file');
    await patch('/link', 'b');
    expect([text('file'), fs.stat('/file').ino]).toEqual(['ab', ino]);
  });

  test('large ones are whole', async () => {
    const half = Buffer.alloc(5_000_000, 'ab');
    await patch('/file', half);
    await patch('/file', half, { durable: true });
    expect(readFileSync(at('file')).equals(Buffer.concat([half, half]))).toBe(true);
  });

  test('of many at once come one after the other, also when nothing was there', async () => {
    const lines = Array.from({ length: 40 }, (__, index) => `${index} `.repeat(20_000) + '\n');
    await Promise.all(lines.map((line) => patch('/log', line)));
    expect(text('log').split('\n').filter(Boolean).sort()).toEqual(
      lines.map((line) => line.trimEnd() + ' ').sort(),
    );
  });

  test('is dropped by an abort, and waits for nobody then', async () => {
    writeFileSync(at('file'), 'old');
    const pending = fs.createPatch('/file');
    pending.stream.write('half');
    await pending.abort();
    expect(await answerOf(() => patch('/file', 'new'))).toBeTruthy();
    expect(text('file')).toBe('oldnew');
    expect(readdirSync(root)).toEqual(['file']);
  });

  test.skipIf(notRoot)('on a full disk leaves the file as it was', async () => {
    mkdirSync(at('small'));
    const image = join(scratch.path, 'image');
    execFileSync('truncate', ['-s', '8M', image]);
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', '-O', '^has_journal', image]);
    execFileSync('mount', ['-o', 'loop', image, at('small')]);
    writeFileSync(at('small/file'), 'old');
    const large = Buffer.alloc(20_000_000, 'x');
    const half = Buffer.alloc(4_000_000, 'x');
    expect(await answerOf(() => patch('/small/file', large))).toBe('disk_full');
    // The bytes fit beside the file, but not in it, too.
    expect(await answerOf(() => patch('/small/file', half))).toBe('disk_full');
    expect(await answerOf(() => patch('/small/file', half, { offset: 1 }))).toBe('disk_full');
    expect(await answerOf(() => patch('/small/new', half, { offset: 9 }))).toBe('disk_full');
    expect(text('small/file')).toBe('old');
    expect(lstatSync(at('small/file')).blocks).toBeLessThan(20);
    expect(readdirSync(at('small')).sort()).toEqual(['file', 'lost+found']);
    await patch('/small/file', 'new');
    expect(text('small/file')).toBe('oldnew');
  });
});

test('a change keeps what is not given, and takes set-id bits away', async () => {
  writeFileSync(at('file'), 'x');
  chmodSync(at('file'), 0o4755);
  await patch('/file', 'y');
  expect(fs.stat('/file').mode).toBe(0o755);
  await patch('/file', 'z', { mode: 0o4700, mtimeNs: 7n });
  expect(fs.stat('/file')).toMatchObject({ mode: 0o4700, mtimeNs: 7n, size: 3 });
});

test('what is no file is refused', async () => {
  mkdirSync(at('directory'));
  execFileSync('mkfifo', [at('fifo')]);
  expect(await answerOf(() => patch('/directory', 'x'))).toBe('is_directory');
  expect(await answerOf(() => patch('/fifo', 'x'))).toBe('not_a_regular_file');
  const pending = fs.createPatch('/file');
  pending.stream.end('x');
  await once(pending.stream, 'finish');
  mkdirSync(at('file'));
  expect(await answerOf(() => pending.commit())).toBe('is_directory');
  const huge = { offset: Number.MAX_SAFE_INTEGER - 10 };
  expect(await answerOf(() => patch('/huge', 'x', huge))).toBe('file_too_large');
  writeFileSync(at('huge'), 'x');
  expect(await answerOf(() => patch('/huge', 'x', huge))).toBe('file_too_large');
  expect(fs.stat('/huge').size).toBe(1);
});

describe('a precondition', () => {
  const exists = (etag: string | undefined): boolean => etag !== undefined;
  const isNew = (etag: string | undefined): boolean => etag === undefined;

  test('is looked at before anything is made', async () => {
    const begin = (): unknown => fs.createWriter('/a/b', { precondition: exists });
    expect(await answerOf(begin)).toBe('precondition_failed');
    expect(readdirSync(root)).toEqual([]);
    await writeFile(fs, '/a/b', 'x', { precondition: isNew });
    expect(await answerOf(() => fs.createWriter('/a/b', { precondition: isNew }))).toBe(
      'precondition_failed',
    );
  });

  test('is looked at again when the file appears', async () => {
    const late = fs.createWriter('/file', { precondition: isNew });
    late.stream.end('late');
    await once(late.stream, 'finish');
    writeFileSync(at('file'), 'first');
    expect(await answerOf(() => late.commit())).toBe('precondition_failed');
    expect(text('file')).toBe('first');
    const { etag } = fs.stat('/file');
    const isSame = (there: string | undefined): boolean => there === etag;
    const [one, two] = [0, 1].map(() => fs.createPatch('/file', { precondition: isSame }));
    for (const each of [one, two]) each?.stream.end('!');
    await Promise.all([one, two].map((each) => each && once(each.stream, 'finish')));
    const answers = await Promise.all([one, two].map((each) => answerOf(() => each?.commit())));
    expect(answers.filter((answer) => answer === 'precondition_failed')).toHaveLength(1);
    expect(text('file')).toBe('first!');
  });

  test('loses no update of many at once', async () => {
    writeFileSync(at('counter'), '100');
    const increment = async (): Promise<void> => {
      for (;;) {
        const file = fs.openFile('/counter');
        const { etag } = file;
        const chunks: Buffer[] = [];
        for await (const chunk of file.stream()) chunks.push(chunk);
        const next = String(Number(Buffer.concat(chunks).toString()) + 1);
        const precondition = (there: string | undefined): boolean => there === etag;
        const answer = await answerOf(() => writeFile(fs, '/counter', next, { precondition }));
        if (answer !== 'precondition_failed') return;
      }
    };
    const client = async (): Promise<void> => {
      for (let round = 0; round < 100; round++) await increment();
    };
    await Promise.all(Array.from({ length: 8 }, client));
    expect(text('counter')).toBe('900');
  });
});

describe('a write', () => {
  test.skipIf(notRoot)('sets what is given over what was there', async () => {
    writeFileSync(at('file'), 'old', { mode: 0o600 });
    const given = { mode: 0o4711, owner: { uid: 3, gid: 4 }, mtimeNs: 1_234_567_890_987_654_321n };
    await writeFile(fs, '/file', 'new', given);
    expect(fs.stat('/file')).toMatchObject({ mode: 0o4711, uid: 3, gid: 4 });
    expect(fs.stat('/file').mtimeNs).toBe(given.mtimeNs);
    await writeFile(fs, '/file', 'newer', { owner: { gid: 9 } });
    expect(fs.stat('/file')).toMatchObject({ mode: 0o711, uid: 3, gid: 9 });
  });

  test('that is durable is at its name', async () => {
    const writer = fs.createWriter('/new/deep/file');
    writer.stream.end('x');
    await once(writer.stream, 'finish');
    expect(await writer.commitDurably()).toMatchObject({ bytes: 1, size: 1 });
    expect(text('new/deep/file')).toBe('x');
  });
});

test('of a change and a whole write with the same condition one is done, whenever they meet', async () => {
  const outcomes: string[] = [];
  for (let round = 0; round < 60; round++) {
    writeFileSync(at('file'), 'start');
    const { etag } = fs.stat('/file');
    const precondition = (current: string | undefined): boolean => current === etag;
    await using patch = fs.createPatch('/file', { precondition });
    patch.writeSmall(Buffer.alloc(1 << 20, 'x'));
    await using whole = fs.createWriter('/file', { precondition });
    whole.writeSmall(Buffer.from('whole'));
    const changing = answerOf(async () => (await patch.commit()) && 'done');
    for (let turn = 0; turn < round % 12; turn++) await setImmediate();
    const replaced = await answerOf(() => whole.commit() && 'done');
    const answers = [await changing, replaced];
    outcomes.push(answers.join(' '));
    const contents = readFileSync(at('file'), 'utf8');
    expect(contents === 'whole').toBe(replaced === 'done');
  }
  const possible = ['done precondition_failed', 'precondition_failed done'];
  expect([...new Set(outcomes)].toSorted()).toEqual(possible);
});
