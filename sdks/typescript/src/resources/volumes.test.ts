import { expect, test } from 'vitest';
import { FakeDaemon } from '../testing/fake-daemon.ts';

const volume = (name: string) => ({
  name,
  namespace: 'team',
  created_at: '2026-01-02T03:04:05.000Z',
  used_by: [],
});

test('the files of a volume are asked for in its namespace', async () => {
  await using daemon = await FakeDaemon.start(async (exchange) => {
    const { url, request } = exchange;
    if (!url.pathname.includes('/fs')) return exchange.json(200, volume('data'));
    await exchange.body();
    if (request.method === 'PUT')
      exchange.json(200, { path: '/a', bytes: 1, size: 1, etag: '"1"' });
    else exchange.response.writeHead(200).end('x');
  });
  const { volumes } = daemon.client;
  const data = await volumes.create('data', { namespace: 'team', sizeMb: 64 });
  expect(data).toMatchObject({ name: 'data', namespace: 'team' });
  expect(data.files).toBe(data.filesystem);
  await data.files.write('/a', 'x');
  await data.files.read('/a b');
  await data.delete();
  expect(daemon.requests).toEqual([
    'POST /v1/volumes',
    'PUT /v1/volumes/data/fs?namespace=team&path=%2Fa',
    'GET /v1/volumes/data/fs?namespace=team&path=%2Fa%20b',
    'DELETE /v1/volumes/data?namespace=team',
  ]);
});
