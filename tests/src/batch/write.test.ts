import { createHash, randomBytes } from 'node:crypto';
import { type BatchWriteResult, batchWriteResultSchema } from '@sandport/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  expectNothingLeft,
  faultOf,
  json,
  namelessFiles,
  onEachIsolation,
  openSocket,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const send = (id: string, files: readonly unknown[] | string | Buffer, query = '') =>
  used.api.send('POST', `/v1/sandboxes/${id}/fs/batch/write${query}`, {
    body:
      typeof files === 'string' || Buffer.isBuffer(files)
        ? files
        : files.map((file) => JSON.stringify(file)).join('\n'),
    headers: { 'Content-Type': 'application/x-ndjson' },
  });

async function write(
  id: string,
  files: readonly unknown[] | string | Buffer,
  query = '',
): Promise<BatchWriteResult> {
  return batchWriteResultSchema.parse(json(await send(id, files, query), 200));
}

const codes = ({ results }: BatchWriteResult) => results.map((row) => (row.ok ? 'ok' : row.code));

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  test.each(['each', 'all'])('mode=%s writes all, with their attributes', async (mode) => {
    const at = `/workspace/${mode}`;
    const result = await write(
      box.id,
      [
        { path: `${at}/text`, content: 'hé\n' },
        { path: `${at}/deep/er/bytes`, content_base64: Buffer.from([0, 255]).toString('base64') },
        { path: `${at}/run`, content: '', mode: '0750', uid: 5, gid: 6, mtime: '1.5' },
        { path: `${at}/checked`, content: 'sum', sha256: sha256('sum') },
        { path: `${at}/text`, content: 'last wins' },
      ],
      `?mode=${mode}`,
    );
    expect(result).toMatchObject({ succeeded: 5, failed: 0 });
    expect(result.results.map((row) => row.ok && row.bytes)).toEqual([4, 2, 0, 3, 9]);
    expect((await used.api.read(box.id, `${at}/text`)).toString()).toBe('last wins');
    expect(await used.api.read(box.id, `${at}/deep/er/bytes`)).toEqual(Buffer.from([0, 255]));
    expect(await used.api.stat(box.id, `${at}/run`)).toMatchObject({
      permissions: '0750',
      uid: 5,
      gid: 6,
      modified_at: '1970-01-01T00:00:01.500Z',
    });
    const user = await used.api.exec(
      box.id,
      `stat -c %U ${at}/text && cat ${at}/deep/er/bytes | wc -c`,
    );
    expect(user.stdout).toBe('user\n2\n');
    const [first] = result.results;
    expect((await used.api.stat(box.id, `${at}/text`)).etag).not.toBe(first?.ok && first.etag);
    const last = result.results.at(-1);
    expect((await used.api.stat(box.id, `${at}/text`)).etag).toBe(last?.ok && last.etag);
  });

  const bad = (at: string): [code: string, file: unknown][] => [
    ['ok', { path: `${at}/first`, content: '1' }],
    ['invalid_path', { path: 'relative', content: '' }],
    ['invalid_path', { path: '', content: '' }],
    ['invalid_path', { path: `/${'x'.repeat(5000)}`, content: '' }],
    ['invalid_request', { path: `${at}/x` }],
    ['invalid_request', { path: `${at}/x`, content: '', content_base64: '' }],
    ['invalid_request', { path: `${at}/x`, content_base64: '=not base64=' }],
    ['invalid_request', { path: `${at}/x`, content: '', mode: '9' }],
    ['invalid_request', { path: `${at}/x`, content: '', uid: -1 }],
    ['invalid_request', { path: `${at}/x`, content: '', other: true }],
    ['invalid_request', { content: '' }],
    ['invalid_request', [1]],
    ['digest_mismatch', { path: `${at}/x`, content: 'a', sha256: sha256('b') }],
    ['is_directory', { path: '/etc', content: '' }],
    ['not_a_directory', { path: '/etc/passwd/x', content: '' }],
    ['not_a_regular_file', { path: '/dev/null', content: '' }],
    ['not_a_regular_file', { path: '/proc/x', content: '' }],
    ['precondition_failed', { path: '/etc/passwd', content: '', if_none_match: '*' }],
    ['precondition_failed', { path: `${at}/x`, content: '', if_match: '"no"' }],
    ['ok', { path: `${at}/last`, content: '2' }],
  ];

  test('mode=each: every bad file gives its own row', async () => {
    const files = bad('/workspace/bad-each');
    const result = await write(
      box.id,
      files.map(([, file]) => file),
    );
    expect(codes(result)).toEqual(files.map(([code]) => code));
    expect(result).toMatchObject({ succeeded: 2, failed: files.length - 2 });
    expect(await used.api.names(box.id, '/workspace/bad-each')).toEqual(['first', 'last']);
  });

  test('mode=all: one bad file, and nothing is written', async () => {
    const files = bad('/workspace/bad-all');
    await used.api.write(box.id, '/workspace/bad-all/first', 'old');
    const answer = await send(
      box.id,
      files.map(([, file]) => file),
      '?mode=all',
    );
    const fault = faultOf(answer, 'batch_failed');
    const failed = files.filter(([code]) => code !== 'ok').map(([code]) => code);
    expect(fault.results).toMatchObject(failed.map((code) => ({ ok: false, code })));
    expect(await used.api.names(box.id, '/workspace/bad-all')).toEqual(['first']);
    expect((await used.api.read(box.id, '/workspace/bad-all/first')).toString()).toBe('old');
  });

  test('lines that are no JSON are named by their number', async () => {
    const body = Buffer.from(
      '{"path":"/workspace/l1","content":"1"}\n\n \r\n{"path":\n"\xff"\n"text"',
      'latin1',
    );
    const result = await write(box.id, body);
    const bad = 'invalid_request';
    expect(codes(result)).toEqual(['ok', bad, bad, bad]);
    const sentences = result.results.map((row) => (row.ok ? '' : row.error));
    expect(sentences[1]).toMatch(/^Line 4: /);
    expect(sentences[2]).toMatch(/^Line 5: /);
    expect(sentences[3]).toMatch(/^Line 6: /);
    expect(await write(box.id, '')).toEqual({ results: [], succeeded: 0, failed: 0 });
  });

  test('conditions: one winner, and none in a batch that takes two steps at once', async () => {
    const path = '/workspace/conditional';
    const created = await write(box.id, [
      { path, content: 'a', if_none_match: '*' },
      { path, content: 'b', if_none_match: '*' },
    ]);
    expect(codes(created)).toEqual(['ok', 'precondition_failed']);
    const [row] = created.results;
    const etag = row?.ok === true ? row.etag : '';
    expect(
      codes(await write(box.id, [{ path, content: 'c', if_match: etag }], '?mode=all')),
    ).toEqual(['ok']);
    const lost = await send(box.id, [{ path, content: 'd', if_match: etag }], '?mode=all');
    faultOf(lost, 'batch_failed');
    expect((await used.api.read(box.id, path)).toString()).toBe('c');
  });

  test('any files survive a batch unchanged', async () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((each) => !/[/\0]/.test(each) && each !== '.' && each !== '..');
    const file = fc.record({
      names: fc.array(name, { minLength: 1, maxLength: 3 }),
      bytes: fc.uint8Array({ maxLength: 200_000 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(file, { maxLength: 8 }),
        fc.constantFrom('each', 'all'),
        async (files, mode) => {
          const root = `/workspace/any/${randomBytes(6).toString('hex')}`;
          const unique = new Map(
            files.map(({ names, bytes }, index) => [
              `${root}/${index}/${names.join('/')}`,
              Buffer.from(bytes),
            ]),
          );
          const body = [...unique].map(([path, bytes]) => ({
            path,
            content_base64: bytes.toString('base64'),
          }));
          expect((await write(box.id, body, `?mode=${mode}`)).failed).toBe(0);
          for (const [path, bytes] of unique)
            expect((await used.api.read(box.id, path)).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('limits', () => {
  const box = useSandbox(used, 'container');

  test('1,000 files of 1 KiB go in one request', async () => {
    const content = 'x'.repeat(1024);
    const files = Array.from({ length: 1000 }, (_, index) => ({
      path: `/workspace/thousand/${index % 20}/${index}`,
      content,
    }));
    const started = performance.now();
    expect(await write(box.id, files)).toMatchObject({ succeeded: 1000 });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('files and lines that are too long fail alone', async () => {
    const zeros = (bytes: number) => Buffer.alloc(bytes).toString('base64');
    const limit = 16 * 1024 * 1024;
    const body = [
      JSON.stringify({ path: '/workspace/largest', content_base64: zeros(limit) }),
      JSON.stringify({ path: '/workspace/too-large', content_base64: zeros(limit + 1) }),
      JSON.stringify({ path: '/workspace/x', content: 'x'.repeat(25 * 1024 * 1024) }),
      JSON.stringify({ path: '/workspace/last', content: 'here' }),
    ].join('\n');
    const result = await write(box.id, body);
    expect(codes(result)).toEqual(['ok', 'payload_too_large', 'payload_too_large', 'ok']);
    expect((await used.api.stat(box.id, '/workspace/largest')).size).toBe(limit);
    expect((await used.api.read(box.id, '/workspace/last')).toString()).toBe('here');
  });

  test('more files than a batch takes', async () => {
    const files = Array.from({ length: 10_001 }, () => ({ path: '/etc', content: '' }));
    expect(faultOf(await send(box.id, files), 'payload_too_large')).toMatchObject({
      limit_entries: 10_000,
    });
    const staged = Array.from({ length: 4_097 }, (_, index) => ({
      path: `/workspace/staged/${index}`,
      content: '',
    }));
    faultOf(await send(box.id, staged, '?mode=all'), 'limit_reached');
    expect(await used.api.names(box.id, '/workspace/staged')).toEqual([]);
    expect(await write(box.id, staged.slice(1), '?mode=all')).toMatchObject({ succeeded: 4_096 });
    await expectNothingLeft(used, box.id);
  });

  test('a full disk: what was there stays, and `all` writes nothing', async () => {
    const small = await used.api.create({ isolation: 'container', resources: { disk_mb: 64 } });
    try {
      const content = 'y'.repeat(8 * 1024 * 1024);
      const files = Array.from({ length: 10 }, (_, index) => ({
        path: `/workspace/f${index}`,
        content,
      }));
      await used.api.write(small.id, '/workspace/f0', 'old');
      const all = faultOf(await send(small.id, files, '?mode=all'), 'batch_failed');
      expect(JSON.stringify(all.results)).toContain('disk_full');
      expect(await used.api.names(small.id, '/workspace')).toEqual(['f0']);
      expect((await used.api.read(small.id, '/workspace/f0')).toString()).toBe('old');
      const each = codes(await write(small.id, files));
      expect(new Set(each)).toEqual(new Set(['ok', 'disk_full']));
      for (const [index, code] of each.entries()) {
        const { status, body } = await used.api.open(small.id, `/workspace/f${index}`);
        if (code === 'ok') expect(body.length).toBe(content.length);
        else expect(status).toBe(404);
      }
    } finally {
      await used.api.kill(small.id);
    }
  });

  test('a client that goes away in the middle: `each` keeps whole files, `all` nothing', async () => {
    for (const mode of ['each', 'all']) {
      const at = `/workspace/gone-${mode}`;
      const lines = [1, 2, 3].map((each) =>
        JSON.stringify({ path: `${at}/${each}`, content: 'whole' }),
      );
      const body = `${lines.join('\n')}\n{"path":"${at}/4","content":"ha`;
      const socket = await openSocket(used.daemon.url);
      socket.write(
        `POST /v1/sandboxes/${box.id}/fs/batch/write?mode=${mode} HTTP/1.1\r\nHost: x\r\n` +
          `Authorization: Bearer ${used.api.apiKey}\r\nContent-Length: 100000\r\n\r\n${body}`,
      );
      await waitFor(async () =>
        mode === 'each'
          ? (await used.api.statAnswer(box.id, `${at}/3`)).status === 200
          : namelessFiles(used.daemon.pid).length >= 3,
      );
      socket.destroy();
      await expectNothingLeft(used, box.id);
      const answer = await used.api.listing(box.id, at);
      if (mode === 'each') {
        expect(await used.api.names(box.id, at)).toEqual(['1', '2', '3']);
      } else if (answer.status === 200) expect(await used.api.names(box.id, at)).toEqual([]);
    }
  });

  test('a bad mode, and a sandbox that is not there', async () => {
    faultOf(await send(box.id, [], '?mode=some'), 'invalid_request');
    faultOf(await send('no-such', []), 'sandbox_not_found');
  });
});
