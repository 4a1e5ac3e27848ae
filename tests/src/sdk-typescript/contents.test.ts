import * as fc from 'fast-check';
import { PreconditionFailedError } from 'sandport';
import { describe, expect, test } from 'vitest';
import { onEachIsolation, useDaemon } from '../harness/index.ts';
import { failure, useSdkSandbox } from './sdk-sandbox.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const made = useSdkSandbox(used, isolation);
  const files = () => made.sandbox.files;
  const run = async (line: string) => (await made.sandbox.exec(line, { check: true })).stdout;

  test('any bytes come back as they were, alone and in a batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 5 }),
        async (contents) => {
          const [first = new Uint8Array()] = contents;
          await files().write('/workspace/any', first);
          expect(Buffer.from(await files().readBytes('/workspace/any')).equals(first)).toBe(true);
          const batch = contents.map((content, index) => ({
            path: `/workspace/batch/${index}`,
            content,
          }));
          const written = await files().writeFiles(batch);
          expect(written.every(({ ok }) => ok)).toBe(true);
          const read = await files().readFiles(batch.map(({ path }) => path));
          for (const [index, result] of read.entries()) {
            expect(result.ok && Buffer.from(result.content).equals(contents[index]!)).toBe(true);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test('parts of a file are read and written', async () => {
    await files().write('/workspace/p', '0123456789');
    const part = (range: object) => files().read('/workspace/p', { range });
    expect(await part({ start: 2, end: 5 })).toBe('234');
    expect(await part({ start: 7 })).toBe('789');
    expect(await part({ end: 2 })).toBe('01');
    expect(await part({ last: 3 })).toBe('789');
    expect(await part({ start: 8, end: 100 })).toBe('89');
    expect(await failure(part({ start: 10 }))).toMatchObject({ code: 'range_not_satisfiable' });
    expect(await failure(part({ start: 3, end: 3 }))).toBeInstanceOf(RangeError);
    const stream = await files().readStream('/workspace/p', { range: { start: 4, end: 6 } });
    let text = '';
    for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString();
    expect(text).toBe('45');
    expect(await files().write('/workspace/p', 'ab', { append: true })).toMatchObject({
      bytes: 2,
      size: 12,
    });
    await files().write('/workspace/p', 'XY', { offset: 1 });
    expect(await files().read('/workspace/p')).toBe('0XY3456789ab');
  });

  test('mode, owner and time are as they are given', async () => {
    await files().write('/workspace/o', 'x', {
      mode: 0o751,
      owner: { uid: 0, gid: 7 },
      mtime: new Date('2020-01-02T03:04:05.678Z'),
      sync: true,
    });
    expect(await run('stat -c "%a %u %g %Y" /workspace/o')).toBe('751 0 7 1577934245\n');
    expect((await files().stat('/workspace/o')).modifiedAt.getMilliseconds()).toBe(678);
    expect(
      await failure(files().write('/workspace/no/dir/f', 'x', { createParents: false })),
    ).toMatchObject({ code: 'file_not_found' });
  });

  test('conditions decide whether a file is written or read', async () => {
    const first = await files().write('/workspace/c', 'one', { ifNoneMatch: '*' });
    const again = files().write('/workspace/c', 'two', { ifNoneMatch: '*' });
    expect(await failure(again)).toBeInstanceOf(PreconditionFailedError);
    expect((await files().stat('/workspace/c')).etag).toBe(first.etag);
    expect(await files().readIfChanged('/workspace/c', first.etag)).toBeUndefined();
    const second = await files().write('/workspace/c', 'two', { ifMatch: first.etag });
    expect(second.etag).not.toBe(first.etag);
    const late = files().write('/workspace/c', 'three', { ifMatch: first.etag });
    expect(await failure(late)).toMatchObject({ code: 'precondition_failed', statusCode: 412 });
    const changed = await files().readIfChanged('/workspace/c', first.etag);
    expect(Buffer.from(changed?.bytes ?? []).toString()).toBe('two');
    expect(changed?.etag).toBe(second.etag);
    expect(await failure(files().read('/workspace/c', { ifMatch: first.etag }))).toBeInstanceOf(
      PreconditionFailedError,
    );
  });

  describe('batches', () => {
    test('each file has its own result', async () => {
      const results = await files().writeFiles([
        { path: '/workspace/b/ok', content: 'text é', mode: 0o700 },
        { path: '/workspace', content: 'x' },
        { path: '/workspace/b/bytes', content: new Uint8Array([0, 255]) },
        ...['relative', '/lone/\ud800'].map((path) => ({ path, content: 'x' })),
      ]);
      expect(results.map(({ ok }) => ok)).toEqual([true, false, true, false, false]);
      for (const result of results.slice(3))
        expect(result).toMatchObject({ error: { code: 'invalid_path' } });
      expect(results[1]).toMatchObject({ path: '/workspace', error: { code: 'is_directory' } });
      const read = await files().readFiles(['/workspace/b/ok', '/none', '/workspace/b/bytes']);
      expect(read).toMatchObject([
        { ok: true, permissions: '0700', size: 7 },
        { ok: false, path: '/none', error: { code: 'file_not_found' } },
        { ok: true, size: 2 },
      ]);
      const invalid = { ok: false, path: 'relative', error: { code: 'invalid_path' } };
      expect(await files().readFiles(['relative', '/etc/hostname'])).toMatchObject([
        invalid,
        { ok: true },
      ]);
      const removed = await files().removeFiles(['/workspace/b', '/none', 'relative'], {
        mustExist: true,
      });
      expect(removed).toMatchObject([
        { ok: true },
        { ok: false, error: { statusCode: 404 } },
        invalid,
      ]);
      expect(await files().exists('/workspace/b')).toBe(false);
    });

    test('all or nothing', async () => {
      const batch = [
        { path: '/workspace/all/a', content: 'a' },
        { path: '/workspace', content: 'x' },
      ];
      const error = await failure(files().writeFiles(batch, { mode: 'all' }));
      expect(error).toMatchObject({ code: 'batch_failed' });
      expect(await files().exists('/workspace/all/a')).toBe(false);
      expect(
        await failure(files().readFiles(['/etc/hostname', '/none'], { mode: 'all' })),
      ).toMatchObject({ code: 'batch_failed' });
    });
  });

  test('of two writers 1,000 times every read sees one whole version', async () => {
    const size = 20_000;
    const path = '/workspace/two';
    await files().write(path, 'a'.repeat(size));
    let writing = true;
    const writer = async (letter: string) => {
      for (let round = 0; round < 500; round++) await files().write(path, letter.repeat(size));
    };
    const reader = (async () => {
      let reads = 0;
      while (writing) {
        const text = await files().read(path);
        expect(text.length).toBe(size);
        expect(text).toBe((text[0] ?? '').repeat(size));
        reads += 1;
      }
      return reads;
    })();
    await Promise.all([writer('a'), writer('b')]);
    writing = false;
    expect(await reader).toBeGreaterThan(10);
  });
});
