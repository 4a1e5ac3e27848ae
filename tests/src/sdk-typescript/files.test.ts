import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  BadRequestError,
  ConflictError,
  type FileContent,
  Filesystem,
  LocalFileError,
  NotFoundError,
  PermissionError,
  Sandbox,
  StorageFullError,
} from 'sandport';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onEachIsolation, testRun, useDaemon } from '../harness/index.ts';
import { clientOf, failure, useSdkSandbox } from './sdk-sandbox.ts';

const used = useDaemon();

let local: string;
beforeAll(() => {
  local = mkdtempSync(join(testRun().tempDir, 'sdk-files-'));
});
afterAll(() => rm(local, { recursive: true, force: true }));

/** Every byte, in an order that no text has. */
const everyByte = Uint8Array.from({ length: 256 }, (_, index) => (index * 167) % 256);

onEachIsolation(used, (isolation) => {
  const made = useSdkSandbox(used, isolation, {
    volumes: [{ name: `ro-${isolation}`, readOnly: true }],
  });
  const files = () => made.sandbox.filesystem;
  const run = async (line: string) => (await made.sandbox.exec(line, { check: true })).stdout;

  test('text and bytes come back as they were, and a command sees the same', async () => {
    const text = 'héllo\n\uFEFF€ 𝄞\r\n\0end';
    expect(await files().write('/workspace/new/dirs/a.txt', text)).toEqual({
      path: '/workspace/new/dirs/a.txt',
      bytes: Buffer.byteLength(text),
      size: Buffer.byteLength(text),
      etag: (await files().stat('/workspace/new/dirs/a.txt')).etag,
    });
    expect(await files().read('/workspace/new/dirs/a.txt')).toBe(text);
    await files().write('/workspace/bytes', everyByte);
    expect([...(await files().readBytes('/workspace/bytes'))]).toEqual([...everyByte]);
    expect(await run('sha256sum < /workspace/bytes; stat -c %U:%a /workspace/bytes')).toBe(
      `${sha256(everyByte)}  -\nuser:644\n`,
    );
    await run('printf from-inside > /workspace/inside');
    expect(await files().read('/workspace/inside')).toBe('from-inside');
  });

  test.each<[string, () => FileContent]>([
    ['Blob', () => new Blob(['ab', 'c'])],
    ['Readable', () => Readable.from(['a', Buffer.from('bc')])],
    ['ArrayBuffer', () => new TextEncoder().encode('abc').buffer],
  ])('writes a %s', async (_kind, content) => {
    await files().write('/workspace/content', content());
    expect(await files().read('/workspace/content')).toBe('abc');
  });

  test.each([
    'with space',
    'Ünï🎉',
    'new\nline',
    '-dash',
    '%2F+&?#',
    `"'\\$(x)`,
    'x'.repeat(255),
    'é'.repeat(127),
  ])('the name %j works in every call', async (name) => {
    const path = `/workspace/names/${name}`;
    await files().write(path, 'x');
    expect(await files().read(path)).toBe('x');
    expect((await files().list('/workspace/names')).map((entry) => entry.name)).toContain(name);
    expect(await files().stat(path)).toMatchObject({ name, path, size: 1, type: 'file' });
    await files().remove(path);
    expect(await files().exists(path)).toBe(false);
  });

  test('a large file goes up and down, streamed and with progress', async () => {
    const size = 64 * 1024 * 1024 + 17;
    const bytes = Buffer.alloc(size, everyByte);
    await writeFile(join(local, 'big'), bytes);
    let sent = 0;
    const onProgress = (progress: { bytes: number }) => (sent = progress.bytes);
    await files().upload(join(local, 'big'), '/workspace/big', { onProgress });
    expect(sent).toBe(size);
    expect(await run('sha256sum < /workspace/big')).toContain(sha256(bytes));
    let total: number | undefined;
    await files().download('/workspace/big', join(local, 'a/b/back'), {
      onProgress: ({ totalBytes }) => (total = totalBytes),
    });
    expect(total).toBe(size);
    expect((await readFile(join(local, 'a/b/back'))).equals(bytes)).toBe(true);
    let streamed = 0;
    const stream = await files().readStream('/workspace/big');
    for await (const chunk of stream as AsyncIterable<Buffer>) streamed += chunk.length;
    expect(streamed).toBe(size);
    await files().remove('/workspace/big');
  });

  test('list, stat, makeDirectory, walk and remove agree', async () => {
    await files().makeDirectory('/workspace/tree/empty');
    await files().makeDirectory('/workspace/tree/empty');
    await files().write('/workspace/tree/sub/b.txt', 'bb', { mode: 0o750 });
    await files().write('/workspace/tree/a.txt', 'a');
    await run('ln -s sub /workspace/tree/link');
    const list = await files().list('/workspace/tree');
    expect(list.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'a.txt file',
      'empty directory',
      'link symlink',
      'sub directory',
    ]);
    expect(list[2]).toMatchObject({ symlinkTarget: 'sub', isDirectory: false });
    const info = await files().stat('/workspace/tree/link/b.txt');
    expect(info).toMatchObject({ size: 2, permissions: '0750', uid: 1000, is_dir: false });
    expect(Math.abs(info.modifiedAt.getTime() - Date.now())).toBeLessThan(60_000);
    expect(await files().stat('/workspace/tree/link')).toMatchObject({ type: 'directory' });
    const own = await files().stat('/workspace/tree/link', { followSymlinks: false });
    expect(own.type).toBe('symlink');
    const seen: string[] = [];
    for await (const { dir, dirs, files: others } of files().walk('/workspace/tree'))
      seen.push(`${dir}: ${[...dirs, ...others].map((entry) => entry.name).join(' ')}`);
    expect(seen).toEqual([
      '/workspace/tree: empty sub a.txt link',
      '/workspace/tree/empty: ',
      '/workspace/tree/sub: b.txt',
    ]);
    expect(await failure(files().remove('/workspace/tree'))).toMatchObject({
      code: 'directory_not_empty',
    });
    await files().remove('/workspace/tree', { recursive: true });
    expect(await files().exists('/workspace/tree')).toBe(false);
    expect(await failure(files().remove('/workspace/tree'))).toBeInstanceOf(NotFoundError);
    await files().remove('/workspace/tree', { mustExist: false });
  });

  test('a write goes through a symlink and keeps the mode of the file', async () => {
    await run('cd /workspace && echo old > target && chmod 600 target && ln -sf target pointer');
    await files().write('/workspace/pointer', 'new');
    expect(
      await run('cat /workspace/target; readlink /workspace/pointer; stat -c %a /workspace/target'),
    ).toBe('newtarget\n600\n');
  });

  describe('what cannot be', () => {
    test.each<[string, () => Promise<unknown>, object, string]>([
      ['a missing file', () => files().read('/workspace/none'), NotFoundError, 'file_not_found'],
      ['a missing directory', () => files().list('/none'), NotFoundError, 'file_not_found'],
      ['a directory read', () => files().read('/workspace'), ConflictError, 'is_directory'],
      [
        'a directory written',
        () => files().write('/workspace', 'x'),
        ConflictError,
        'is_directory',
      ],
      ['a device', () => files().read('/dev/zero'), ConflictError, 'not_a_regular_file'],
      ['procfs', () => files().read('/proc/self/environ'), ConflictError, 'not_a_regular_file'],
      [
        'a file as directory',
        () => files().read('/etc/passwd/x'),
        ConflictError,
        'not_a_directory',
      ],
      ['a relative path', () => files().read('x'), BadRequestError, 'invalid_path'],
      [
        'a read-only volume',
        () => files().write(`/mnt/ro-${isolation}/x`, 'x'),
        PermissionError,
        'read_only',
      ],
    ])('%s is refused with its code', async (_what, act, errorClass, code) => {
      const error = await failure(act());
      expect(error).toBeInstanceOf(errorClass);
      expect(error).toMatchObject({ code });
    });

    test('a FIFO is refused at once', async () => {
      await run('mkfifo /workspace/fifo');
      const begun = performance.now();
      const error = await failure(files().read('/workspace/fifo'));
      // gVisor keeps a FIFO to itself: outside of it there is nothing at the path.
      const code = isolation === 'gvisor' ? /^(file_not_found|not_a_regular_file)$/ : /^not_a_reg/;
      expect(error).toMatchObject({ code: expect.stringMatching(code) });
      expect(performance.now() - begun).toBeLessThan(2000);
    });

    test('a symlink out of the sandbox stays in it', async () => {
      await run(
        'ln -sf /etc/hostname /workspace/out; ln -sf ../../../../../../etc/shadow-none /workspace/up',
      );
      expect(await files().read('/workspace/out')).toBe(await run('cat /etc/hostname'));
      expect(await failure(files().read('/workspace/up'))).toBeInstanceOf(NotFoundError);
    });

    test('an error carries path, status and request id', async () => {
      expect(await failure(files().read('/workspace/none'))).toMatchObject({
        path: '/workspace/none',
        statusCode: 404,
        requestId: expect.stringMatching(/./),
        advice: expect.stringMatching(/./),
      });
    });

    test('a local file that is missing is a local error', async () => {
      const error = await failure(files().upload(join(local, 'none'), '/workspace/x'));
      expect(error).toBeInstanceOf(LocalFileError);
    });
  });

  test('an aborted upload leaves the old file and nothing else', async () => {
    await files().write('/workspace/abort/f', 'old');
    const stop = new AbortController();
    async function* endless() {
      for (let round = 0; ; round++) {
        yield Buffer.alloc(256 * 1024);
        if (round === 20) stop.abort(new Error('enough'));
      }
    }
    const upload = files().write('/workspace/abort/f', endless(), { signal: stop.signal });
    expect(await failure(upload)).toMatchObject({ message: 'enough' });
    expect(await files().read('/workspace/abort/f')).toBe('old');
    await expect.poll(() => run('ls -A /workspace/abort')).toBe('f\n');
  });

  test('a full disk is told, and the old file stays', async () => {
    const options = { isolation, resources: { diskMb: 32 } };
    await using small = await Sandbox.create(options, clientOf(used));
    await small.filesystem.write('/workspace/f', 'old');
    await writeFile(join(local, 'too-big'), Buffer.alloc(48 * 1024 * 1024));
    const error = await failure(small.filesystem.upload(join(local, 'too-big'), '/workspace/f'));
    expect(error).toBeInstanceOf(StorageFullError);
    expect(error).toMatchObject({ code: 'disk_full', statusCode: 507 });
    expect(await small.filesystem.read('/workspace/f')).toBe('old');
    expect((await small.filesystem.list('/workspace')).map(({ name }) => name)).toEqual(['f']);
    await small.filesystem.write('/workspace/g', Buffer.alloc(1024 * 1024));
  });

  test('of many writers at once one wins as a whole, and readers see whole files', async () => {
    const size = 300_000;
    const write = (letter: string) => files().write('/workspace/race', letter.repeat(size));
    await write('0');
    const letters = [...'abcdefghij'];
    const reads: Promise<string>[] = [];
    const writes = letters.map(async (letter) => {
      await write(letter);
      reads.push(files().read('/workspace/race'));
    });
    await Promise.all(writes);
    for (const text of await Promise.all(reads)) {
      expect(text.length).toBe(size);
      expect(new Set(text).size).toBe(1);
    }
  });

  test('a download that fails keeps the old local file', async () => {
    const target = join(local, 'kept');
    await writeFile(target, 'old');
    await failure(files().download('/workspace/none', target));
    expect(await readFile(target, 'utf8')).toBe('old');
    expect((await readdir(local)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('sandbox.files is sandbox.filesystem', () => {
    expect(made.sandbox.files).toBe(made.sandbox.filesystem);
    expect(made.sandbox.files).toBeInstanceOf(Filesystem);
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
