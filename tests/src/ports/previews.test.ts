import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { portSchema, previewTokenSchema } from '@sandport/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  exchange,
  faultOf,
  type HttpAnswer,
  json,
  onEachIsolation,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { type Echo, startWebServer } from './web-server.ts';

const used = useDaemon();
const MiB = 1024 * 1024;

const ports = (id: string) => `/v1/sandboxes/${id}/ports`;
const hostOf = (id: string, port = 3000) => `${port}-${id}.localhost:${new URL(used.api.url).port}`;

/** As a browser asks: by the address of the port, without a key. */
const visit = (id: string, path: string, headers: Record<string, string> = {}) =>
  exchange(used.api.url, { path, headers: { Host: hostOf(id), ...headers } });

async function expose(id: string, body: object): Promise<z.infer<typeof portSchema>> {
  return portSchema.parse(json(await used.api.sendJson('POST', ports(id), body), 201));
}

async function sign(id: string, body: object): Promise<z.infer<typeof previewTokenSchema>> {
  const path = `/v1/sandboxes/${id}/preview-token`;
  return previewTokenSchema.parse(json(await used.api.sendJson('POST', path, body), 200));
}

const echoOf = (answer: HttpAnswer): Echo => {
  const echo: Echo = JSON.parse(json200(answer));
  return echo;
};

function json200(answer: HttpAnswer): string {
  expect([answer.status, answer.body.toString('utf8', 0, 200)]).toEqual([200, expect.anything()]);
  return answer.body.toString();
}

/** An answer as it comes. */
function open(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fields = { 'X-API-Key': used.api.apiKey, ...headers };
    const sent = request(used.api.url, { path, headers: fields, agent: false }, resolve);
    sent.once('error', reject).end();
  });
}

onEachIsolation(used, (isolation) => {
  const sandbox = useSandbox(used, isolation);
  const proxy = (path: string) => `/v1/sandboxes/${sandbox.id}/proxy/3000${path}`;
  beforeAll(async () => {
    if (used.daemon.isolations.includes(isolation))
      await startWebServer(used.api, sandbox.id, 3000);
  });

  test('what listens is told, exposed, and taken away again', async () => {
    const { api } = used;
    const list = async () =>
      z.array(portSchema).parse(json(await api.send('GET', ports(sandbox.id)), 200));
    const addresses = {
      proxy_url: `${api.url}${proxy('/')}`,
      preview_url: `http://${hostOf(sandbox.id)}/`,
    };
    const found = { port: 3000, listening: true, source: 'detected', visibility: 'private' };
    expect(await list()).toEqual([{ ...found, ...addresses }]);
    expect(faultOf(await visit(sandbox.id, '/echo'), 'preview_unauthorized').error).toBeTruthy();
    const exposed = { ...found, source: 'exposed', label: 'web' };
    expect(await expose(sandbox.id, { port: 3000, label: 'web' })).toEqual({
      ...exposed,
      ...addresses,
    });
    await expose(sandbox.id, { port: 4000, visibility: 'public' });
    expect((await list()).map(({ port, listening }) => [port, listening])).toEqual([
      [3000, true],
      [4000, false],
    ]);
    faultOf(await visit(sandbox.id, '/echo'), 'preview_unauthorized');
    await expose(sandbox.id, { port: 3000, visibility: 'public' });
    expect(echoOf(await visit(sandbox.id, '/echo')).path).toBe('/echo');
    for (const port of [3000, 4000])
      expect((await api.send('DELETE', `${ports(sandbox.id)}/${port}`)).status).toBe(204);
    faultOf(await api.send('DELETE', `${ports(sandbox.id)}/3000`), 'port_not_exposed');
    faultOf(await visit(sandbox.id, '/echo'), 'preview_unauthorized');
  });

  test('a signed link works in both forms, for its port, its paths and its time', async () => {
    const { api } = used;
    const link = await sign(sandbox.id, { port: 3000, paths: ['/echo'] });
    expect(link).toMatchObject({ sandbox_id: sandbox.id, port: 3000, paths: ['/echo'] });
    expect(link.url).toBe(`${api.url}/v1/p/${link.token}/`);
    const path = `/v1/p/${link.token}`;
    expect(echoOf(await exchange(api.url, { path: `${path}/echo?a=b` })).path).toBe('/echo?a=b');
    faultOf(await exchange(api.url, { path: `${path}/page` }), 'preview_forbidden');
    faultOf(await exchange(api.url, { path: `${path}/echo/../page` }), 'preview_forbidden');
    const cookie = { Cookie: `__sandport_preview=${link.token}` };
    const echo = echoOf(await visit(sandbox.id, '/echo', cookie));
    expect(JSON.stringify(echo.headers)).not.toContain(link.token);
    faultOf(await visit(sandbox.id, '/page', cookie), 'preview_forbidden');
    const other = { ...cookie, Host: hostOf(sandbox.id, 3001) };
    faultOf(await visit(sandbox.id, '/echo', other), 'preview_unauthorized');
    const [text = '', mac = ''] = link.token.split('.');
    const longer = Buffer.from(text, 'base64url').toString().replace('|3000|', '|3001|');
    for (const forged of [
      `${Buffer.from(longer).toString('base64url')}.${mac}`,
      `${text}.${mac.slice(0, -1)}${mac.endsWith('A') ? 'B' : 'A'}`,
      `${text}.`,
      text,
      `${text}.${mac}=`,
      '.',
    ])
      faultOf(await exchange(api.url, { path: `/v1/p/${forged}/echo` }), 'preview_unauthorized');
    const short = await sign(sandbox.id, { port: 3000, ttl_seconds: 1 });
    await waitFor(
      async () => (await exchange(api.url, { path: `/v1/p/${short.token}/echo` })).status === 401,
      { what: 'the end of the link' },
    );
  });

  test('the server sees the request as it is, and nothing of the daemon', async () => {
    const body = randomBytes(300_000);
    const answer = await used.api.send('PUT', proxy('/a%2Fb?x=1&x=%20'), {
      body,
      headers: { 'X-Own': 'ü'.normalize(), Cookie: 'own=1; __sandport_preview=x' },
    });
    const echo = echoOf(answer);
    expect(echo).toMatchObject({ method: 'PUT', path: '/a%2Fb?x=1&x=%20', bytes: 300_000 });
    expect(echo.sha256).toBe(createHash('sha256').update(body).digest('hex'));
    expect(echo.headers).toContainEqual(['Cookie', 'own=1']);
    expect(echo.headers).toContainEqual(['X-Forwarded-Prefix', proxy('')]);
    expect(echo.headers).toContainEqual(['X-Forwarded-For', '127.0.0.1']);
    expect(JSON.stringify(echo.headers)).not.toContain(used.api.apiKey);
    expect(answer.headers['x-twice']).toBe('1, 2');
    const chunked = await used.api.send('PATCH', proxy('/echo'), {
      body: Readable.from([body.subarray(0, 7), body.subarray(7)]),
    });
    expect(echoOf(chunked)).toMatchObject({ method: 'PATCH', sha256: echo.sha256 });
    for (const method of ['HEAD', 'OPTIONS', 'DELETE', 'PROPFIND'])
      expect((await used.api.send(method, proxy('/echo'))).status).toBe(200);
  });

  test('events come as they are sent', async () => {
    const answer = await open(proxy('/events'), {});
    expect(answer.headers['content-type']).toBe('text/event-stream');
    const events = answer.setEncoding('utf8')[Symbol.asyncIterator]();
    expect((await events.next()).value).toBe('data: first\n\n');
    await used.api.send('GET', proxy('/go'));
    expect((await events.next()).value).toBe('data: second\n\n');
    answer.destroy();
  });

  test('large bodies are streamed both ways, in little memory', { timeout: 120_000 }, async () => {
    const [down, up] = isolation === 'container' ? [256, 48] : [48, 16];
    const status = () => readFileSync(`/proc/${used.daemon.pid}/status`, 'utf8');
    const rssMiB = () => Number(/VmRSS:\s+(\d+)/.exec(status())?.[1]) / 1024;
    const before = rssMiB();
    const answer = await open(proxy(`/big?${down}`), {});
    const digest = createHash('sha256');
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      digest.update(chunk);
    });
    await finished(answer);
    expect(bytes).toBe(down * MiB);
    const expected = createHash('sha256');
    const index = Buffer.alloc(4);
    for (let piece = 0; piece < down; piece++) {
      index.writeUInt32BE(piece);
      expected.update(Buffer.alloc(MiB, index));
    }
    expect(digest.digest('hex')).toBe(expected.digest('hex'));
    const piece = Buffer.alloc(MiB, 'x');
    const sent = createHash('sha256');
    const body = Readable.from(
      (function* () {
        for (let count = 0; count < up; count++) {
          sent.update(piece);
          yield piece;
        }
      })(),
    );
    const answered = await used.api.send('POST', proxy('/echo'), { body, timeoutMs: 100_000 });
    const echo = echoOf(answered);
    expect(echo).toMatchObject({ bytes: up * MiB, sha256: sent.digest('hex') });
    expect(rssMiB() - before).toBeLessThan(150);
  });

  test('a server cannot set cookies for others, nor speak for the API', async () => {
    const below = await used.api.send('GET', proxy('/cookies'));
    expect(below.headers['set-cookie']).toEqual([`wide=1; HttpOnly; Path=${proxy('/')}`]);
    expect(below.headers.location).toBe(proxy('/elsewhere'));
    expect(below.headers['content-security-policy']).toContain('sandbox');
    const key = { 'X-API-Key': used.api.apiKey };
    const own = await visit(sandbox.id, '/cookies', key);
    expect(own.headers['set-cookie']).toEqual(['wide=1; HttpOnly; Path=/']);
    expect(own.headers.location).toBe('/elsewhere');
    for (const { headers } of [below, own])
      expect(headers['strict-transport-security']).toBeUndefined();
  });

  test('nobody reaches what is not his', async () => {
    const { api: stranger } = await used.api.newKey({ namespaces: ['elsewhere'] });
    faultOf(await stranger.send('GET', proxy('/echo')), 'sandbox_not_found');
    faultOf(await stranger.send('GET', ports(sandbox.id)), 'sandbox_not_found');
    const body = { port: 3000, visibility: 'public' };
    faultOf(await stranger.sendJson('POST', ports(sandbox.id), body), 'sandbox_not_found');
    const token = `/v1/sandboxes/${sandbox.id}/preview-token`;
    faultOf(await stranger.sendJson('POST', token, { port: 3000 }), 'sandbox_not_found');
    faultOf(await exchange(used.api.url, { path: proxy('/echo') }), 'unauthorized');
    const key = { 'X-API-Key': stranger.apiKey };
    faultOf(await visit(sandbox.id, '/echo', key), 'sandbox_not_found');
  });

  test('a link ends with the key that made it', async () => {
    const { id, api } = await used.api.newKey();
    const path = `/v1/sandboxes/${sandbox.id}/preview-token`;
    const made = json(await api.sendJson('POST', path, { port: 3000 }), 200);
    const { token } = previewTokenSchema.parse(made);
    const use = () => exchange(used.api.url, { path: `/v1/p/${token}/echo` });
    expect((await use()).status).toBe(200);
    await used.api.send('DELETE', `/v1/keys/${id}`);
    faultOf(await use(), 'preview_unauthorized');
  });

  test('what does not listen is told, to programs and to people', async () => {
    const path = `/v1/sandboxes/${sandbox.id}/proxy/3999/`;
    expect(faultOf(await used.api.send('GET', path), 'port_not_open').error).toContain('3999');
    const page = await used.api.send('GET', path, { headers: { Accept: 'text/html' } });
    expect([page.status, page.headers['content-type']]).toEqual([502, 'text/html; charset=utf-8']);
    expect(page.body.toString()).toContain('port 3999');
  });

  test('ports and links outlive a killed daemon', async () => {
    await expose(sandbox.id, { port: 3000, visibility: 'public', label: 'kept' });
    const { token } = await sign(sandbox.id, { port: 3000 });
    await used.daemon.kill9();
    await used.daemon.start();
    expect(echoOf(await visit(sandbox.id, '/echo')).path).toBe('/echo');
    const path = `/v1/p/${token}/echo`;
    expect(echoOf(await exchange(used.api.url, { path })).path).toBe('/echo');
    await used.api.send('DELETE', `${ports(sandbox.id)}/3000`);
  });

  test('a visit wakes the sandbox', async () => {
    await used.api.enter(sandbox.id, 'hibernate');
    json(await used.api.send('GET', ports(sandbox.id)), 200);
    expect((await used.api.get(sandbox.id)).status).toBe('hibernated');
    const answer = await used.api.send('GET', proxy('/echo'));
    expect((await used.api.get(sandbox.id)).status).toBe('running');
    const { memory } = (await used.api.events(sandbox.id)).findLast(({ type }) => type === 'woken')
      ?.payload ?? { memory: undefined };
    // Without its memory the server is gone.
    if (memory === true) {
      expect(echoOf(answer).path).toBe('/echo');
      expect(answer.headers['x-sandport-woke']).toBe('memory');
    } else faultOf(answer, 'port_not_open');
  });
});

describe('bad input', () => {
  test.each([0, 70_000, 22, -1, 1.5, '3000', null])('port %j', async (port) => {
    const { id } = await anySandbox();
    faultOf(await used.api.sendJson('POST', ports(id), { port }), 'invalid_request');
    const path = `/v1/sandboxes/${id}/preview-token`;
    faultOf(await used.api.sendJson('POST', path, { port }), 'invalid_request');
  });

  test.each([
    { port: 1, ttl_seconds: 0 },
    { port: 1, ttl_seconds: 604_801 },
    { port: 1, paths: ['relative'] },
    { port: 1, paths: ['/a?b'] },
    { port: 1, paths: ['/a|b'] },
    { port: 1, paths: ['/ü'] },
    { port: 1, paths: Array.from({ length: 17 }, () => '/') },
    { port: 1, paths: [`/${'x'.repeat(1_000)}`] },
    { port: 1, more: true },
  ])('a link %j', async (body) => {
    const { id } = await anySandbox();
    const path = `/v1/sandboxes/${id}/preview-token`;
    faultOf(await used.api.sendJson('POST', path, body), 'invalid_request');
  });

  test('ports in paths, and more ports than a sandbox may expose', async () => {
    const { id } = await anySandbox();
    for (const port of ['0', '70000', 'x', '1.5', '-1', '%00', '00003000'])
      faultOf(await used.api.send('GET', `/v1/sandboxes/${id}/proxy/${port}/`), 'invalid_request');
    faultOf(await used.api.send('DELETE', `${ports(id)}/99999`), 'invalid_request');
    // What listens is not looked for then.
    await used.api.enter(id, 'pause');
    for (let port = 1000; port < 1064; port++) await expose(id, { port });
    faultOf(await used.api.sendJson('POST', ports(id), { port: 1064 }), 'limit_reached');
    await expose(id, { port: 1000, label: 'again' });
  });
});

let any: { readonly id: string } | undefined;
/** One for what is refused before it is looked at. */
async function anySandbox(): Promise<{ readonly id: string }> {
  any ??= await used.api.create({ isolation: used.daemon.isolations[0] });
  return any;
}
