import { randomBytes } from 'node:crypto';
import { writeResultSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import {
  expectNothingLeft,
  faultOf,
  filePath,
  type HttpAnswer,
  type HttpRequest,
  json,
  onEachIsolation,
  rawExchange,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const put = (
    path: string,
    body: NonNullable<HttpRequest['body']>,
    query = '',
    headers: Record<string, string> = {},
  ): Promise<HttpAnswer> =>
    used.api.send('PUT', `${filePath(box.id, '', path)}${query}`, { body, headers });
  const text = async (path: string) => (await used.api.read(box.id, path)).toString();
  const etagOf = async (path: string) => (await used.api.stat(box.id, path)).etag ?? '';

  test('mode, owner and time are given or kept', async () => {
    const path = '/workspace/given';
    const given = '&mode=4755&uid=33&gid=34&mtime=1234567890.987654321';
    const answer = await put(path, 'x', given);
    const written = writeResultSchema.parse(json(answer, 200));
    expect(written).toMatchObject({ path, bytes: 1, size: 1, etag: answer.headers.etag });
    const seen = () => used.api.asRoot(box.id, `stat -c '%a %u:%g %.Y' ${path}`);
    expect(await seen()).toBe('4755 33:34 1234567890.987654321\n');
    expect(await etagOf(path)).toBe(written.etag);
    json(await put(path, 'y', '&mtime=-5'), 200);
    expect(await seen()).toBe('755 33:34 -5.000000000\n');
    json(await put(path, 'z', '&mode=600&gid=1000'), 200);
    expect((await seen()).split(' ').slice(0, 2)).toEqual(['600', '33:1000']);
  });

  test.each([
    ['mode', '&mode=9'],
    ['mode', '&mode=rw'],
    ['uid', '&uid=-1'],
    ['gid', '&gid=65536'],
    ['mtime', '&mtime=now'],
    ['offset', '&offset=1.5'],
    ['offset', '&offset=9007199254740992'],
    ['offset', '&offset=1&append=true'],
    ['append', '&append=maybe'],
    ['sync', '&sync=2'],
  ])('a query that is wrong is refused by its name: %s', async (field, query) => {
    const fault = faultOf(await put('/workspace/refused', 'x', query), 'invalid_request');
    expect(fault).toMatchObject({ field });
    expect((await used.api.statAnswer(box.id, '/workspace/refused')).status).toBe(404);
  });

  test('parents are made unless they are not to be', async () => {
    faultOf(await put('/workspace/no/file', 'x', '&create_parents=false'), 'file_not_found');
    json(await put('/workspace/yes/file', 'x', '&sync=true'), 200);
    json(await put('/workspace/yes/file', 'y', '&create_parents=false'), 200);
    expect(await text('/workspace/yes/file')).toBe('y');
  });

  test('append and offset change the file that is there', async () => {
    const path = '/workspace/log';
    await used.api.asRoot(box.id, `printf 'one\\n' > ${path}; ln ${path} ${path}-other`);
    const answer = await put(path, 'two\n', '&append=true&sync=true');
    expect(json(answer, 200)).toMatchObject({ bytes: 4, size: 8 });
    json(await put(path, 'ONE', '&offset=0'), 200);
    expect(await used.api.asRoot(box.id, `cat ${path}-other`)).toBe('ONE\ntwo\n');
    json(await put('/workspace/new-log', 'first\n', '&append=true'), 200);
    json(await put('/workspace/hole', 'x', '&offset=3'), 200);
    expect(await used.api.asRoot(box.id, 'cat /workspace/new-log')).toBe('first\n');
    expect(await text('/workspace/hole')).toBe('\0\0\0x');
    faultOf(await put('/etc', 'x', '&append=true'), 'is_directory');
    faultOf(await put('/dev/null', 'x', '&append=true'), 'not_a_regular_file');
    faultOf(await put(path, 'x', `&offset=${2 ** 52}`), 'payload_too_large');
    const cut = { 'Repr-Digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` };
    faultOf(await put(path, 'more', '&append=true', cut), 'digest_mismatch');
    expect(await text(path)).toBe('ONE\ntwo\n');
    await expectNothingLeft(used, box.id);
  });

  test('a file of the template is changed in place, too', async () => {
    const before = await text('/etc/hostname');
    json(await put('/etc/hostname', '# more\n', '&append=true'), 200);
    expect(await used.api.asRoot(box.id, 'cat /etc/hostname')).toBe(`${before}# more\n`);
  });

  test('appends of 20 clients at once tear no line', async () => {
    const path = '/workspace/crowd';
    const lines = Array.from({ length: 200 }, (_, index) => `${index} ${'x'.repeat(index * 50)}\n`);
    const clients = Array.from({ length: 20 }, (_, client) =>
      lines.filter((_line, index) => index % 20 === client),
    );
    await Promise.all(
      clients.map(async (own) => {
        for (const line of own) json(await put(path, line, '&append=true'), 200);
      }),
    );
    const seen = (await text(path)).split('\n').slice(0, -1);
    expect(seen.sort()).toEqual(lines.map((line) => line.slice(0, -1)).sort());
  });

  test('a condition that does not hold is 412 and changes nothing', async () => {
    const path = '/workspace/condition';
    faultOf(await put(path, 'x', '', { 'If-Match': '*' }), 'precondition_failed');
    faultOf(await put(path, 'x', '', { 'If-Match': '"other"' }), 'precondition_failed');
    json(await put(path, 'x', '', { 'If-None-Match': '*' }), 200);
    faultOf(await put(path, 'y', '', { 'If-None-Match': '*' }), 'precondition_failed');
    const etag = await etagOf(path);
    json(await put(path, 'y', '', { 'If-Match': `"other", ${etag}` }), 200);
    faultOf(await put(path, 'z', '', { 'If-Match': etag }), 'precondition_failed');
    faultOf(await put(path, 'z', '&append=true', { 'If-Match': etag }), 'precondition_failed');
    json(await put(path, 'z', '&append=true', { 'If-Match': await etagOf(path) }), 200);
    expect(await text(path)).toBe('yz');
    const deep = '/workspace/not/made/file';
    faultOf(await put(deep, 'x', '', { 'If-Match': '*' }), 'precondition_failed');
    expect((await used.api.statAnswer(box.id, '/workspace/not')).status).toBe(404);
  });

  test('an answer that is known from the headers comes before the body', async () => {
    const path = '/workspace/early';
    await used.api.write(box.id, path, 'x');
    for (const [status, more] of [
      [412, 'If-None-Match: *'],
      [409, 'X-Nothing: 1'],
    ] as const) {
      const where = status === 412 ? path : '/workspace';
      const answer = await rawExchange(
        used.daemon.url,
        `PUT ${filePath(box.id, '', where)} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.daemon.apiKey}\r\n` +
          `${more}\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n`,
      );
      expect(answer.status).toBe(status);
    }
  });

  test('updates of many clients with If-Match lose none', { timeout: 60_000 }, async () => {
    const path = '/workspace/counter';
    await used.api.write(box.id, path, '100');
    const increment = async () => {
      for (;;) {
        const { headers, body } = await used.api.open(box.id, path);
        const next = String(Number(body.toString()) + 1);
        const answer = await put(path, next, '', { 'If-Match': headers.etag ?? '' });
        if (answer.status === 200) return;
        faultOf(answer, 'precondition_failed');
      }
    };
    const client = async () => {
      for (let round = 0; round < 20; round++) await increment();
    };
    await Promise.all(Array.from({ length: 8 }, client));
    expect(await text(path)).toBe('260');
  });

  test('two clients write one path 1,000 times: every read is whole', {
    timeout: 60_000,
  }, async () => {
    const path = '/workspace/contended';
    const bodies = ['a', 'b'].map((letter) => letter.repeat(50_000));
    await used.api.write(box.id, path, bodies[0] ?? '');
    let writing = true;
    const writers = bodies.map(async (body) => {
      for (let round = 0; round < 500; round++) await used.api.write(box.id, path, body);
    });
    const seen = new Set<string>();
    const read = async () => {
      while (writing) {
        const body = await text(path);
        expect(bodies).toContain(body);
        seen.add(body);
      }
    };
    const readers = [read(), read()];
    await Promise.all(writers);
    writing = false;
    await Promise.all(readers);
    expect(seen.size).toBe(2);
    await expectNothingLeft(used, box.id);
  });

  test('what is cut short changes nothing', async () => {
    const path = '/workspace/cut';
    await used.api.write(box.id, path, 'old');
    for (const query of ['', '&append=true', '&offset=1']) {
      const part = randomBytes(300_000).toString('latin1');
      const answer = rawExchange(
        used.daemon.url,
        Buffer.from(
          `PUT ${filePath(box.id, '', path)}${query} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.daemon.apiKey}\r\n` +
            `Content-Length: 1000000\r\nConnection: close\r\n\r\n${part}`,
          'latin1',
        ),
        { timeoutMs: 300 },
      );
      await expect(answer).rejects.toThrow('no whole answer');
    }
    await expectNothingLeft(used, box.id);
    expect(await text(path)).toBe('old');
  });
});
