import type { Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import {
  expectServing,
  faultOf,
  openSocket,
  type RawAnswer,
  rawExchange,
  useDaemon,
} from '../harness/index.ts';

const used = useDaemon();
let id = '';
beforeAll(async () => {
  ({ id } = await used.api.create());
});

const post = (path: string, body: string | Uint8Array) => used.api.send('POST', path, { body });
const errorOf = (answer: RawAnswer): { code: string; error: string } => JSON.parse(answer.body);

const notJson = {
  'half an object': '{"template":',
  'two objects': '{}{}',
  'bare words': 'template=base',
  'bytes that are not UTF-8': Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
  'a comment': '{} // all',
};
test.each(Object.entries(notJson))('a body of %s is 400', async (_name, body) => {
  for (const path of ['/v1/sandboxes', `/v1/sandboxes/${id}/exec`, '/v1/volumes', '/v1/keys']) {
    expect(faultOf(await post(path, body), 'invalid_request').error).toMatch(/body/i);
  }
});

test.each(['[]', '"text"', '7', 'null', 'true'])('a body of %s is 400', async (body) => {
  faultOf(await post('/v1/sandboxes', body), 'invalid_request');
  faultOf(await post(`/v1/sandboxes/${id}/exec`, body), 'invalid_request');
});

test('JSON of a million brackets is 400', async () => {
  faultOf(await post('/v1/sandboxes', '['.repeat(1_000_000)), 'invalid_request');
});

test('a JSON body over the limit is 413, announced or not', async () => {
  const body = `{"name":"${'x'.repeat(1_100_000)}"}`;
  expect(faultOf(await post('/v1/sandboxes', body), 'payload_too_large')).toMatchObject({
    limit_bytes: 1024 * 1024,
  });
  const chunked = await used.api.send('POST', '/v1/sandboxes', {
    body,
    headers: { 'Transfer-Encoding': 'chunked' },
    trailers: { 'X-None': '1' },
  });
  faultOf(chunked, 'payload_too_large');
});

const wrongFields: [fields: object, field: string, told: RegExp][] = [
  [{ templte: 'base' }, 'templte', /Unknown field "templte"; known are .*template/],
  [{ resources: { ram: 1 } }, 'resources.ram', /Unknown field "ram" in "resources"/],
  [{ template: 7 }, 'template', /"template".*string/],
  [{ template: '' }, 'template', /"template"/],
  [{ isolation: 'docker' }, 'isolation', /"isolation".*gvisor.*container/],
  [{ namespace: 'Not A Label' }, 'namespace', /"namespace".*DNS label/],
  [{ name: '-x' }, 'name', /"name".*DNS label/],
  [{ name: 'x'.repeat(64) }, 'name', /"name"/],
  [{ metadata: { a: 1 } }, 'metadata.a', /"metadata.a"/],
  [{ env: { 'A=B': 'x' } }, 'env.A=B', /"env/],
  [{ env: { A: 'x\0y' } }, 'env.A', /NUL/],
  [{ ttl_seconds: -1 }, 'ttl_seconds', /"ttl_seconds"/],
  [{ ttl_seconds: '60' }, 'ttl_seconds', /"ttl_seconds"/],
  [{ resources: { cpu: 0 } }, 'resources.cpu', /"resources.cpu"/],
  [{ resources: { memory_mb: 1.5 } }, 'resources.memory_mb', /"resources.memory_mb"/],
  [{ resources: { disk_mb: 1 } }, 'resources.disk_mb', /"resources.disk_mb"/],
  [{ resources: { pids: 1e9 } }, 'resources.pids', /"resources.pids"/],
  [{ cpu: -1 }, 'cpu', /"cpu"/],
  [{ memory_mb: 0 }, 'memory_mb', /"memory_mb"/],
  [{ volumes: [{ name: '../x' }] }, 'volumes.0.name', /"volumes.0.name"/],
  [{ volumes: [{ name: 'v' }, { name: 'v' }] }, 'volumes', /"v" is listed twice/],
  [{ user: 'a b' }, 'user', /"user"/],
  [{ workdir: 'relative' }, 'workdir', /"workdir"/],
];
test.each(wrongFields)('create with %j is 400 and names %s', async (fields, field, told) => {
  const before = await used.api.list();
  const answer = await used.api.sendJson('POST', '/v1/sandboxes', fields);
  const fault = faultOf(answer, 'invalid_request');
  expect(fault).toMatchObject({ field });
  expect(fault.error).toMatch(told);
  expect(await used.api.list()).toEqual(before);
});

test.each(['nobody-knows-me', '70000'])('create with the unknown user %s is 400', async (user) => {
  const fault = faultOf(
    await used.api.sendJson('POST', '/v1/sandboxes', { user }),
    'invalid_request',
  );
  expect(fault).toMatchObject({ field: 'user' });
  expect(fault.error).toMatch(new RegExp(`${user}|up to 65535`));
  const run = { cmd: 'id', user };
  const refused = await used.api.sendJson('POST', `/v1/sandboxes/${id}/exec`, run);
  faultOf(refused, user === '70000' ? 'invalid_request' : 'command_not_started');
});

test('create in a working directory that cannot be is 400 and leaves nothing', async () => {
  const before = await used.api.list();
  const create = (workdir: string) => used.api.sendJson('POST', '/v1/sandboxes', { workdir });
  faultOf(await create(`/${'x'.repeat(256)}`), 'invalid_path');
  faultOf(await create('/proc/x'), 'not_a_regular_file');
  expect(await used.api.list()).toEqual(before);
});

test('an unknown template is 400 and the known ones are named', async () => {
  const answer = await used.api.sendJson('POST', '/v1/sandboxes', { template: 'windows-95' });
  const fault = faultOf(answer, 'unknown_template');
  expect(fault).toMatchObject({
    template: 'windows-95',
    known: expect.arrayContaining(['base', 'default', 'ubuntu-24.04', 'python-sandbox-template']),
  });
  expect(fault.error).toMatch(/windows-95.*base/);
  faultOf(await used.api.send('GET', '/v1/templates/windows-95'), 'template_not_found');
});

const wrongCommands: [fields: object, field: string][] = [
  [{}, 'cmd'],
  [{ cmd: 'true', args: ['true'] }, 'cmd'],
  [{ cmd: '' }, 'cmd'],
  [{ cmd: 'a\0b' }, 'cmd'],
  [{ args: [] }, 'args'],
  [{ args: 'true' }, 'args'],
  [{ command: 'true' }, 'command'],
  [{ cmd: 'true', cwd: 'tmp' }, 'cwd'],
  [{ cmd: 'true', timeout_seconds: -1 }, 'timeout_seconds'],
  [{ cmd: 'true', stdin_base64: '***' }, 'stdin_base64'],
  [{ cmd: 'true', stdin: '', stdin_base64: '' }, 'stdin'],
  [{ cmd: 'true', max_output_bytes: 1e12 }, 'max_output_bytes'],
];
test.each(wrongCommands)('exec with %j is 400 and names %s', async (fields, field) => {
  for (const route of ['exec', 'exec/stream']) {
    const answer = await used.api.sendJson('POST', `/v1/sandboxes/${id}/${route}`, fields);
    expect(faultOf(answer, 'invalid_request')).toMatchObject({ field });
  }
});

test('wrong values in a query are 400 and named', async () => {
  const get = (path: string) => used.api.send('GET', path);
  for (const [path, field] of [
    ['/v1/sandboxes?limit=0', 'limit'],
    ['/v1/sandboxes?limit=ten', 'limit'],
    ['/v1/sandboxes?status=sleeping', 'status'],
    ['/v1/sandboxes?cursor=bm90IG91cnM', 'cursor'],
    ['/v1/sandboxes?namespace=A%20B', 'namespace'],
    [`/v1/sandboxes/${id}/fs/stat?path=/&follow_symlinks=perhaps`, 'follow_symlinks'],
  ] as const) {
    expect(faultOf(await get(path), 'invalid_request'), path).toMatchObject({ field });
  }
  const mode = await used.api.send('PUT', `/v1/sandboxes/${id}/fs?path=/tmp/m&mode=rwx`);
  expect(faultOf(mode, 'invalid_request')).toMatchObject({ field: 'mode' });
});

test('what does not exist is 404: sandbox, file, directory, route, volume', async () => {
  const nobody = '00000000-0000-4000-8000-000000000000';
  for (const name of [nobody, 'no-such-name', '%20', '..%2F..', '__proto__', 'constructor'])
    faultOf(await used.api.send('GET', `/v1/sandboxes/${name}`), 'sandbox_not_found');
  faultOf(await used.api.open(nobody, '/etc/passwd'), 'sandbox_not_found');
  faultOf(await used.api.open(id, '/no/such/file'), 'file_not_found');
  faultOf(await used.api.open(id, '/tmp/no-such-file'), 'file_not_found');
  faultOf(await used.api.listing(id, '/no/such/directory'), 'file_not_found');
  faultOf(await used.api.statAnswer(id, '/no/such/entry'), 'file_not_found');
  faultOf(await used.api.remove(id, '/no/such', '&must_exist=true'), 'file_not_found');
  faultOf(await used.api.send('GET', '/v1/volumes/none'), 'volume_not_found');
  faultOf(await used.api.send('GET', '/v2/sandboxes'), 'route_not_found');
  faultOf(await used.api.send('GET', `/v1/sandboxes/${id}/fs/../../keys`), 'route_not_found');
});

test('a route that is there for another method is 405 and names those', async () => {
  const fault = faultOf(await used.api.send('PATCH', '/v1/keys'), 'method_not_allowed');
  expect(fault).toMatchObject({ known: ['GET', 'POST'] });
});

test('a path in the URL that is not UTF-8 is 400', async () => {
  faultOf(await used.api.send('GET', '/v1/sandboxes/%FF'), 'invalid_request');
});

test('headers over 16 KiB are 431', async () => {
  const line = `X-Long: ${'a'.repeat(20_000)}\r\n`;
  const answer = await rawExchange(
    used.daemon.url,
    `GET /healthz HTTP/1.1\r\nHost: x\r\n${line}\r\n`,
  );
  expect(answer.status).toBe(431);
  expect(errorOf(answer).code).toBe('headers_too_large');
  const many = 'X-Many: b\r\n'.repeat(4_000);
  const second = await rawExchange(
    used.daemon.url,
    `GET /healthz HTTP/1.1\r\nHost: x\r\n${many}\r\n`,
  );
  expect(second.status).toBe(431);
  await expectServing(used, id);
});

const notHttp = {
  nonsense: 'hello there\r\n\r\n',
  TLS: Buffer.from('16030100c8010000c40303aabbccddeeff', 'hex'),
  'a negative length': 'PUT /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
  'two lengths': 'PUT /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
  'length and chunks':
    'PUT /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
};
test.each(Object.entries(notHttp))('%s is 400 and the connection ends', async (_name, bytes) => {
  const answer = await rawExchange(used.daemon.url, bytes);
  expect(answer.status).toBe(400);
  expect(errorOf(answer).code).toBe('invalid_request');
  expect(answer.head).toMatch(/connection: close/i);
});

test('10,000 idle connections do not keep anyone from being served', async (context) => {
  const limit = Number(
    /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1],
  );
  if (limit < 10_500) context.skip(`this process may open only ${limit} files`);
  const sockets: Socket[] = [];
  try {
    while (sockets.length < 10_000)
      sockets.push(
        ...(await Promise.all(Array.from({ length: 250 }, () => openSocket(used.daemon.url)))),
      );
    await expectServing(used, id);
    // Half of them say half a request, and it still serves.
    for (const socket of sockets.slice(0, 5_000)) socket.write('GET /healthz HTT');
    await expectServing(used, id);
    expect(sockets.filter((socket) => socket.destroyed || socket.readableEnded)).toEqual([]);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await expectServing(used, id);
});
