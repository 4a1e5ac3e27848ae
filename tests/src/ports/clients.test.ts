import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { Client as PandaClient, Sandbox as PandaSandbox } from '@pandastack/sdk';
import { NotFoundError, Sandbox, UnavailableError } from 'sandport';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  exchange,
  onEachIsolation,
  TestWebSocket,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { clientOf, failure } from '../sdk-typescript/sdk-sandbox.ts';
import { startEchoServer } from './echo-server.ts';
import { statusOf } from './status-of.ts';
import { startWebServer } from './web-server.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const made = useSandbox(used, isolation);
  let sandbox: Sandbox;
  beforeAll(async () => {
    if (!used.daemon.isolations.includes(isolation)) return;
    const { api } = used;
    await startWebServer(api, made.id, 3000);
    await startEchoServer(api, made.id);
    sandbox = await Sandbox.get(made.id, clientOf(used));
  });

  test('the SDK lists, exposes, signs and withdraws', async () => {
    const listening = (await sandbox.ports.list()).map(({ port, source }) => [port, source]);
    expect(listening).toEqual([
      [3000, 'detected'],
      [7000, 'detected'],
    ]);
    const exposed = await sandbox.ports.expose(3000, { label: 'web' });
    expect(exposed).toMatchObject({ port: 3000, label: 'web', visibility: 'private' });
    expect(exposed.proxyUrl).toBe(sandbox.portUrl(3000));
    const shared = await sandbox.previewUrl(3000, { ttlSeconds: 60, paths: ['/echo'] });
    expect(await statusOf(shared.replace('/?', '/echo?'))).toBe(200);
    expect(await statusOf(shared)).toBe(403);
    const everybody = await sandbox.previewUrl(3000, { public: true });
    expect(everybody).toBe(exposed.previewUrl);
    expect(await statusOf(everybody)).toBe(200);
    await sandbox.ports.unexpose(3000);
    expect(await statusOf(everybody)).toBe(401);
    expect(await failure(sandbox.ports.unexpose(3000))).toBeInstanceOf(NotFoundError);
  });

  test('the SDK carries TCP, and each direction ends by itself', async () => {
    const bytes = randomBytes(2 * 1024 * 1024);
    const connection = await sandbox.ports.connect(7000);
    connection.end(bytes);
    expect(sha256(await buffer(connection))).toBe(sha256(bytes));
    expect(await failure(sandbox.ports.connect(7001))).toBeInstanceOf(UnavailableError);
    const late = await sandbox.ports.connect(7000);
    late.write('x');
    expect(String((await once(late, 'data'))[0])).toBe('x');
    late.destroy();
  });
});

describe('hostile clients of the tunnel', () => {
  const made = useSandbox(used, 'container');
  const tunnel = (port: number | string) => `/v1/sandboxes/${made.id}/ports/${port}/tcp`;
  beforeAll(() => startEchoServer(used.api, made.id));

  test('get an answer before anything is taken over', async () => {
    const { api } = used;
    const open = (port: number | string, who = api) => TestWebSocket.open(who, tunnel(port));
    await expect(open(7001)).rejects.toThrow(/^502 .*port_not_open/);
    for (const port of [0, 70_000, 'x']) await expect(open(port)).rejects.toThrow(/^400 /);
    const { api: stranger } = await api.newKey({ namespaces: ['elsewhere'] });
    await expect(open(7000, stranger)).rejects.toThrow(/^404 .*sandbox_not_found/);
    const foreign = { headers: { Origin: 'http://evil.com' } };
    await expect(TestWebSocket.open(api, tunnel(7000), foreign)).rejects.toThrow(/^403 /);
    const unknown = TestWebSocket.open(api, tunnel(7000), { withKey: false });
    await expect(unknown).rejects.toThrow(/^401 /);
    expect((await api.send('GET', tunnel(7000))).status).toBe(426);
  });

  test('are cut when a message is too large, or text', async () => {
    using large = await TestWebSocket.open(used.api, tunnel(7000));
    large.send(Buffer.alloc(2 * 1024 * 1024));
    expect(await large.closed).toBe(1009);
    using text = await TestWebSocket.open(used.api, tunnel(7000));
    text.send('garbage');
    expect(await text.closed).toBe(1003);
  });

  test('hold no more than a share, and give it back', { timeout: 90_000 }, async () => {
    const held: TestWebSocket[] = [];
    const refused = await (async () => {
      for (;;) {
        const opened = await TestWebSocket.open(used.api, tunnel(7000)).catch(String);
        if (typeof opened === 'string') return opened;
        held.push(opened);
      }
    })();
    expect([held.length <= 256, refused]).toEqual([true, expect.stringContaining('limit_reached')]);
    for (const each of held) each.socket.terminate();
    await waitFor(async () => {
      const opened = await TestWebSocket.open(used.api, tunnel(7000)).catch(() => undefined);
      opened?.socket.terminate();
      return opened !== undefined;
    });
  });
});

test('the unmodified @pandastack/sdk finds previews', async () => {
  const { daemon, api } = used;
  const { id } = await api.create({ isolation: daemon.isolations[0] });
  const { port } = new URL(daemon.url);
  const client = new PandaClient({ apiUrl: daemon.url, apiKey: daemon.apiKey });
  // Its own way to name another host; it does not take it from the address of the API.
  Reflect.set(client, 'previewHost', `localhost:${port}`);
  const sandbox = await PandaSandbox.get(id, client);
  await startWebServer(api, id, 3000);
  expect(sandbox.previewUrl(3000, 'http')).toBe(`http://3000-${id}.localhost:${port}`);
  const { previews } = { previews: await sandbox.previewUrls() };
  expect(Object.keys(previews)).toEqual(['3000']);
  const answer = await exchange(daemon.url, {
    path: '/echo',
    headers: { Host: `3000-${id}.localhost:${port}`, Authorization: `Bearer ${daemon.apiKey}` },
  });
  expect(answer.status).toBe(200);
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
