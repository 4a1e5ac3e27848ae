import { type Lifecycle, lifecycleSchema } from '@sandport/protocol';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import {
  codeOf,
  faultOf,
  filePath,
  json,
  onEachIsolation,
  openSocket,
  useDaemon,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';

const used = useDaemon();
afterEach(() => used.daemon.killSandboxes());

const lifecycle = async (id: string): Promise<Lifecycle> =>
  lifecycleSchema.parse(json(await used.api.send('GET', `/v1/sandboxes/${id}/lifecycle`), 200));
const change = async (id: string, fields: object): Promise<Lifecycle> =>
  lifecycleSchema.parse(
    json(await used.api.sendJson('PATCH', `/v1/sandboxes/${id}/lifecycle`, fields), 200),
  );
const isGone = async (id: string): Promise<boolean> =>
  codeOf(await used.api.send('GET', `/v1/sandboxes/${id}`)) === 'sandbox_not_found';
const typesOf = async (id: string) => (await used.api.events(id)).map(({ type }) => type);

onEachIsolation(used, (isolation) => {
  test('a sandbox nobody uses is hibernated, and wakes for the next command', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation, idle_timeout_seconds: 2 });
    const createdAt = Date.now();
    await waitFor(async () => (await api.get(id)).status === 'hibernated');
    const afterMs = Date.now() - createdAt;
    expect(afterMs).toBeGreaterThan(1_500);
    expect((await api.exec(id, 'echo up')).stdout).toBe('up\n');
    expect(await typesOf(id)).toEqual(['created', 'idle', 'hibernated', 'woken']);
  });

  test('commands and transfers keep it awake while they last; looking does not', async () => {
    const { api, daemon } = used;
    // Long enough that a busy machine’s pauses between the steps are not taken for idleness.
    const { id } = await api.create({ isolation, idle_timeout_seconds: 3 });
    const longest = async (work: Promise<unknown>) => {
      let longestSeconds = 0;
      const ended = work.then(() => true);
      while (!(await Promise.race([ended, sleep(200, false)]))) {
        const { idle_seconds: idleSeconds } = await lifecycle(id);
        // Work that ended meanwhile keeps nobody awake any more.
        if (!(await Promise.race([ended, false])))
          longestSeconds = Math.max(longestSeconds, idleSeconds);
      }
      return longestSeconds;
    };
    expect(await longest(api.exec(id, 'sleep 4'))).toBeLessThan(2);
    const socket = await openSocket(daemon.url);
    const head = `PUT ${filePath(id, '', '/workspace/slow')} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${daemon.apiKey}\r\nContent-Length: 6\r\n\r\n`;
    const drip = async () => {
      const answered = once(socket, 'data');
      socket.write(head);
      for (const letter of 'drip\n\n') {
        await sleep(700);
        socket.write(letter);
      }
      await answered;
    };
    expect(await longest(drip())).toBeLessThan(2);
    socket.destroy();
    expect((await api.read(id, '/workspace/slow')).toString()).toBe('drip\n\n');
    const until = Date.now() + 15_000;
    while ((await api.get(id)).status === 'running' && Date.now() < until) {
      await api.statAnswer(id, '/workspace');
      await api.listing(id, '/');
      await sleep(50);
    }
    expect(await typesOf(id)).toEqual(['created', 'idle', 'hibernated']);
  });

  test('a download that its client has left standing keeps nobody awake', async () => {
    const { api, daemon } = used;
    const { id } = await api.create({ isolation, idle_timeout_seconds: 1 });
    await api.exec(id, 'head -c 60M /dev/zero > /workspace/large');
    const socket = await openSocket(daemon.url);
    socket.write(
      `GET ${filePath(id, '', '/workspace/large')} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${daemon.apiKey}\r\n\r\n`,
    );
    let bytes = 0;
    socket.once('data', () => socket.pause());
    await waitFor(async () => (await api.get(id)).status === 'hibernated');
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    await waitFor(() => bytes > 59 * 1024 * 1024, { what: 'the rest of the download' });
    socket.destroy();
    expect((await api.get(id)).status).toBe('hibernated');
  });

  test('one is deleted for idleness where that was asked for, and a paused one is not', async () => {
    const { api, daemon } = used;
    const idle = { isolation, idle_timeout_seconds: 1, idle_action: 'kill' };
    const [killed, paused] = await Promise.all([api.create(idle), api.create(idle)]);
    await api.enter(paused.id, 'pause');
    await waitFor(() => isGone(killed.id));
    expect(await typesOf(killed.id)).toEqual(['created', 'idle', 'deleted']);
    await sleep(1_500);
    expect((await api.get(paused.id)).status).toBe('paused');
    await waitForOnly(daemon, [paused.id]);
  });

  test('what has an end ends in every state, and changes count from now', async () => {
    const { api, daemon } = used;
    const made = await Promise.all(
      Array.from({ length: 4 }, () => api.create({ isolation, ttl_seconds: 60 })),
    );
    const [running = '', paused = '', asleep = '', kept = ''] = made.map(({ id }) => id);
    await api.enter(paused, 'pause');
    await api.enter(asleep, 'hibernate');
    expect(await change(kept, { persistent: true })).not.toHaveProperty('expires_at');
    const changed = await change(running, { ttl_seconds: 2 });
    const inMs = Date.parse(changed.expires_at ?? '') - Date.now();
    expect(inMs).toBeGreaterThan(0);
    expect(inMs).toBeLessThanOrEqual(2_000);
    for (const id of [paused, asleep, kept]) await change(id, { ttl_seconds: 2 });
    for (const id of [running, paused, asleep]) {
      await waitFor(() => isGone(id), { timeoutMs: 20_000 });
      expect((await typesOf(id)).slice(-2)).toEqual(['expired', 'deleted']);
    }
    expect((await api.get(kept)).status).toBe('running');
    await waitForOnly(daemon, [kept]);
  });
});

test('how long a sandbox stays is told and changed field by field', async () => {
  const { api } = used;
  const { id } = await api.create({ ttl_seconds: 600, idle_timeout_seconds: 300 });
  const told = await lifecycle(id);
  expect(told).toMatchObject({
    ttl_seconds: 600,
    persistent: false,
    idle_timeout_seconds: 300,
    idle_action: 'hibernate',
  });
  await sleep(300);
  expect((await lifecycle(id)).idle_seconds).toBeGreaterThan(told.idle_seconds);
  expect(await change(id, { idle_action: 'kill' })).toMatchObject({
    ...told,
    idle_action: 'kill',
    idle_seconds: expect.any(Number),
  });
  expect(await change(id, {})).toMatchObject({ idle_action: 'kill', ttl_seconds: 600 });
  const persistent = await change(id, { persistent: true });
  expect(persistent).toMatchObject({ ttl_seconds: 600, persistent: true });
  expect(persistent).not.toHaveProperty('expires_at');
  const again = await change(id, { persistent: false });
  expect(Date.parse(again.expires_at ?? '') - Date.now()).toBeGreaterThan(599_000);
  expect(await change(id, { ttl_seconds: 0 })).not.toHaveProperty('expires_at');
  const far = await change(id, { ttl_seconds: 31_536_000 });
  expect(Date.parse(far.expires_at ?? '') - Date.now()).toBeGreaterThan(31_535_000_000);
  expect(await api.get(id)).toMatchObject({
    ttl_seconds: 31_536_000,
    idle_timeout_seconds: 300,
    idle_action: 'kill',
    expires_at: far.expires_at,
  });
  const events = await api.events(id);
  expect(events.filter(({ type }) => type === 'changed').map(({ payload }) => payload)).toEqual([
    { fields: ['idle_action'] },
    { fields: ['persistent'] },
    { fields: ['persistent'] },
    { fields: ['ttl_seconds'] },
    { fields: ['ttl_seconds'] },
  ]);
});

test('times that are none are refused and change nothing', async () => {
  const { api } = used;
  const { id } = await api.create({ ttl_seconds: 600 });
  const before = await lifecycle(id);
  for (const fields of [
    { ttl_seconds: -1 },
    { ttl_seconds: 1.5 },
    { ttl_seconds: 31_536_001 },
    { ttl_seconds: 1e300 },
    { ttl_seconds: '60' },
    { ttl_seconds: null },
    { idle_timeout_seconds: -1 },
    { idle_action: 'sleep' },
    { persistent: 'yes' },
    { persistent: true, ttl_seconds: -1 },
    { unknown: 1 },
  ]) {
    const path = `/v1/sandboxes/${id}/lifecycle`;
    faultOf(await used.api.sendJson('PATCH', path, fields), 'invalid_request');
    if (!('unknown' in fields))
      faultOf(await used.api.sendJson('POST', '/v1/sandboxes', fields), 'invalid_request');
  }
  expect(await lifecycle(id)).toMatchObject({ ...before, idle_seconds: expect.any(Number) });
  expect(await api.list()).toHaveLength(1);
  const { api: stranger } = await api.newKey({ namespaces: ['strange'] });
  const foreign = await stranger.sendJson('PATCH', `/v1/sandboxes/${id}/lifecycle`, {});
  faultOf(foreign, 'sandbox_not_found');
});

test('labels and environment of a sandbox are changed while it runs and while it sleeps', async () => {
  const { api } = used;
  const made = await api.create({ metadata: { a: '1' }, env: { WHO: 'first' } });
  const path = `/v1/sandboxes/${made.id}`;
  const patch = async (fields: object) => json(await api.sendJson('PATCH', path, fields), 200);
  expect(await patch({ metadata: { b: '2' } })).toEqual({ ...made, metadata: { b: '2' } });
  await patch({ env: { WHO: 'second' } });
  expect((await api.exec(made.id, 'echo $WHO')).stdout).toBe('second\n');
  await api.enter(made.id, 'hibernate');
  expect(await patch({ env: { WHO: 'third' } })).toMatchObject({ status: 'hibernated' });
  expect((await api.exec(made.id, 'echo $WHO')).stdout).toBe('third\n');
  expect(await api.list('?metadata.b=2')).toHaveLength(1);
  for (const fields of [
    { env: { '1X': 'a' } },
    { metadata: { a: 1 } },
    { status: 'running' },
    { resources: { cpu: 0 } },
    { resources: { gpu: 1 } },
  ])
    faultOf(await api.sendJson('PATCH', path, fields), 'invalid_request');
  expect(await patch({})).toMatchObject({ metadata: { b: '2' }, env: { WHO: 'third' } });
});
