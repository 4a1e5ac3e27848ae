import { beforeAll, expect, test } from 'vitest';
import { type Api, exchange, faultOf, TestWebSocket, useDaemon } from '../harness/index.ts';

const used = useDaemon();
let id = '';
let stranger: Api;

beforeAll(async () => {
  ({ id } = await used.api.create({ name: 'theirs' }));
  stranger = (await used.api.newKey({ namespaces: ['elsewhere'] })).api;
});

/** One request of every kind that names a sandbox. */
const requests = (sandbox: string): [method: string, path: string, body?: string][] => [
  ['GET', `/v1/sandboxes/${sandbox}`],
  ['DELETE', `/v1/sandboxes/${sandbox}`],
  ['GET', `/v1/sandboxes/${sandbox}/fs?path=/etc/hostname`],
  ['PUT', `/v1/sandboxes/${sandbox}/fs?path=/tmp/x`, 'x'],
  ['DELETE', `/v1/sandboxes/${sandbox}/fs?path=/tmp/x`],
  ['GET', `/v1/sandboxes/${sandbox}/fs/dir?path=/`],
  ['GET', `/v1/sandboxes/${sandbox}/fs/stat?path=/`],
  ['POST', `/v1/sandboxes/${sandbox}/fs/mkdir?path=/tmp/d`],
  ['POST', `/v1/sandboxes/${sandbox}/exec`, '{"cmd":"true"}'],
  ['POST', `/v1/sandboxes/${sandbox}/exec/stream`, '{"cmd":"true"}'],
];

const send = (method: string, path: string, body: string | undefined, headers = {}) =>
  exchange(used.daemon.url, { method, path, headers, ...(body === undefined ? {} : { body }) });

test('without a key every route but /healthz answers 401, unknown routes too', async () => {
  const open = await exchange(used.daemon.url, { path: '/healthz' });
  expect(open.status).toBe(200);
  const others: [string, string, string?][] = [
    ['GET', '/v1/sandboxes'],
    ['POST', '/v1/sandboxes', '{}'],
    ['GET', '/v1/templates'],
    ['GET', '/v1/volumes'],
    ['GET', '/v1/keys'],
    ['GET', '/version'],
    ['GET', '/nothing/here'],
    ['PROPFIND', '/v1/sandboxes'],
  ];
  for (const [method, path, body] of [...requests(id), ...others]) {
    const answer = await send(method, path, body);
    expect(faultOf(answer, 'unauthorized').error).toMatch(/API key/);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  }
});

const malformed = {
  'a wrong key': { Authorization: `Bearer sp_${'0'.repeat(32)}` },
  'an empty bearer': { Authorization: 'Bearer ' },
  'another scheme': { Authorization: 'Basic c3A6c3A=' },
  'a wrong X-API-Key': { 'X-API-Key': 'no' },
  'a key of 8,000 characters': { Authorization: `Bearer ${'k'.repeat(8000)}` },
  'the key as a query parameter': {},
};
test.each(Object.entries(malformed))('%s answers 401', async (_name, headers) => {
  const path = `/v1/sandboxes/${id}?api_key=${used.daemon.apiKey}&access_token=${used.daemon.apiKey}`;
  faultOf(await send('GET', path, undefined, headers), 'unauthorized');
});

test('a wrong bearer is not made good by a right X-API-Key', async () => {
  const headers = { Authorization: 'Bearer wrong', 'X-API-Key': used.daemon.apiKey };
  faultOf(await send('GET', `/v1/sandboxes/${id}`, undefined, headers), 'unauthorized');
});

test('either header carries the key', async () => {
  for (const headers of [
    { Authorization: `bearer ${used.daemon.apiKey}` },
    { 'X-API-Key': used.daemon.apiKey },
  ]) {
    expect((await send('GET', `/v1/sandboxes/${id}`, undefined, headers)).status).toBe(200);
  }
});

test('to a key of another namespace the sandbox does not exist, by id and by name', async () => {
  for (const sandbox of [id, 'theirs']) {
    for (const [method, path, body] of requests(sandbox)) {
      const answer = await stranger.send(method, path, body === undefined ? {} : { body });
      const fault = faultOf(answer, 'sandbox_not_found');
      // Nothing but the name that the client sent itself may be told.
      expect(fault).toEqual({
        code: 'sandbox_not_found',
        error: `No sandbox "${sandbox}".`,
        sandbox,
      });
    }
  }
  expect(await stranger.list()).toEqual([]);
  expect(await stranger.list('?namespace=default')).toEqual([]);
  expect((await used.api.get(id)).status).toBe('running');
});

test('a key of another namespace makes nothing in ours, and nothing of the daemon', async () => {
  const create = (fields: object) => stranger.sendJson('POST', '/v1/sandboxes', fields);
  faultOf(await create({ namespace: 'default' }), 'forbidden');
  faultOf(await create({}), 'forbidden');
  const volume = { name: 'v', namespace: 'default' };
  faultOf(await stranger.sendJson('POST', '/v1/volumes', volume), 'forbidden');
  faultOf(await stranger.send('GET', '/v1/keys'), 'forbidden');
  faultOf(await stranger.sendJson('POST', '/v1/keys', {}), 'forbidden');
  faultOf(await stranger.send('DELETE', '/v1/keys/any'), 'forbidden');
  const build = await stranger.sendJson('POST', '/v1/templates/build', { name: 'base' });
  faultOf(build, 'forbidden');
  expect(await used.api.list()).toHaveLength(1);
});

test('a volume of another namespace does not exist either', async () => {
  await used.api.sendJson('POST', '/v1/volumes', { name: 'secret' });
  for (const method of ['GET', 'DELETE'])
    faultOf(await stranger.send(method, '/v1/volumes/secret'), 'volume_not_found');
  const listed = await stranger.send('GET', '/v1/volumes');
  expect(JSON.parse(listed.body.toString())).toEqual([]);
});

test('a key that was revoked is no key', async () => {
  const { id: keyId, api } = await used.api.newKey();
  expect((await api.send('GET', '/v1/keys')).status).toBe(200);
  expect((await api.send('DELETE', `/v1/keys/${keyId}`)).status).toBe(204);
  faultOf(await api.send('GET', '/v1/keys'), 'unauthorized');
  faultOf(await used.api.send('DELETE', `/v1/keys/${keyId}`), 'key_not_found');
});

test('what goes on with a key ends soon after the key is revoked', async () => {
  const { id: keyId, api } = await used.api.newKey();
  const headers = { Authorization: `Bearer ${api.apiKey}`, 'Content-Type': 'application/json' };
  const body = '{"cmd":"echo begun; sleep 1000"}';
  const path = `/v1/sandboxes/${id}/exec`;
  const stream = await fetch(`${used.daemon.url}${path}/stream`, { method: 'POST', headers, body });
  using terminal = await TestWebSocket.open(api, `${path}/pty`);
  const ends = [expect(stream.text()).rejects.toThrow(), terminal.closed];
  expect((await used.api.send('DELETE', `/v1/keys/${keyId}`)).status).toBe(204);
  await Promise.all(ends);
});
