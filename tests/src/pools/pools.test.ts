import { setTimeout as sleep } from 'node:timers/promises';
import type { Isolation } from '@sandport/protocol';
import { expect, test } from 'vitest';
import {
  codeOf,
  faultOf,
  idsOnMachine,
  json,
  onEachIsolation,
  sandboxProcess,
  signal,
  useDaemon,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';

const used = useDaemon();
const slow = { timeoutMs: 30_000 };

const setPool = (size: number, isolation: Isolation, template = 'base') =>
  used.api.sendJson('PUT', `/v1/pools/${template}`, { size, isolation });
const ready = (count: number, isolation: Isolation) =>
  waitFor(async () => (await used.api.pool('base', isolation)).ready === count, {
    ...slow,
    what: `a pool with ${count} ready`,
  });
const drain = async (isolation: Isolation) => {
  json(await setPool(0, isolation), 200);
  await used.daemon.killSandboxes();
};
/** Ids of what is on the machine and in no list. */
const members = async (): Promise<string[]> => {
  const listed = new Set<string>((await used.api.list()).map(({ id }) => id));
  return [...idsOnMachine(used.daemon).keys()].filter((id) => !listed.has(id));
};

onEachIsolation(used, (isolation) => {
  test('a create takes a sandbox that is ready, and gets what it asked for', async () => {
    const { api } = used;
    json(await setPool(2, isolation, 'default'), 200);
    await ready(2, isolation);
    expect(await api.list()).toEqual([]);
    const [member = ''] = await members();
    for (const path of ['', '/metrics', '/events', '/fs/dir?path=/'])
      faultOf(await api.send('GET', `/v1/sandboxes/${member}${path}`), 'sandbox_not_found');
    faultOf(await api.send('DELETE', `/v1/sandboxes/${member}`), 'sandbox_not_found');

    const before = Date.now();
    const asked = {
      name: 'taken',
      metadata: { a: 'b' },
      env: { COLOUR: 'red' },
      user: 'root',
      workdir: '/srv/new',
      ttl_seconds: 600,
    };
    const sandbox = await api.create({ isolation, ...asked });
    expect(sandbox).toMatchObject({ ...asked, boot_mode: 'pool', status: 'running' });
    expect(Date.parse(sandbox.created_at)).toBeGreaterThanOrEqual(before);
    expect((await api.get('taken')).id).toBe(sandbox.id);
    const said = await api.exec(sandbox.id, 'id -un; pwd; echo $COLOUR; hostname');
    expect(said.stdout).toBe(`root\n/srv/new\nred\nsandbox-${sandbox.id.slice(0, 8)}\n`);
    await api.write(sandbox.id, '/srv/new/file', 'x');
    expect((await api.stat(sandbox.id, '/srv/new/file')).uid).toBe(0);
    const plain = await api.create({ isolation });
    await api.write(plain.id, '/workspace/file', 'x');
    expect((await api.exec(plain.id, 'stat -c %U /workspace/file')).stdout).toBe('user\n');
    await ready(2, isolation);
    expect(await api.pool('base', isolation)).toMatchObject({ taken: 2, missed: 0 });
    await drain(isolation);
  });

  test('members stay through a stop and a start', async () => {
    json(await setPool(2, isolation), 200);
    await ready(2, isolation);
    const before = (await members()).sort();
    await used.daemon.restart();
    await ready(2, isolation);
    expect((await members()).sort()).toEqual(before);
    const taken = await used.api.create({ isolation });
    expect(before).toContain(taken.id);
    expect((await used.api.exec(taken.id, 'echo hi')).stdout).toBe('hi\n');
    await drain(isolation);
  });

  test('a daemon that is killed while it refills leaves nothing behind', async () => {
    for (const afterMs of [30, 90, 150, 300]) {
      json(await setPool(2, isolation), 200);
      await sleep(afterMs);
      await used.daemon.kill9();
      await used.daemon.start();
      await ready(2, isolation);
      await waitFor(async () => (await members()).length === 2, slow);
      json(await setPool(0, isolation), 200);
      await waitForOnly(used.daemon, []);
    }
    await drain(isolation);
  });

  test('a member that dies is replaced', async () => {
    json(await setPool(1, isolation), 200);
    await ready(1, isolation);
    const [member = ''] = await members();
    signal(sandboxProcess(used.daemon, member), 'SIGKILL');
    await waitFor(async () => !(await members()).includes(member), slow);
    await ready(1, isolation);
    const { id } = await used.api.create({ isolation });
    expect((await used.api.exec(id, 'true')).exit_code).toBe(0);
    expect(await used.api.send('GET', '/v1/events')).toMatchObject({ status: 200 });
    await drain(isolation);
  });

  test('a dozen creates at once, of which some find the pool empty', async () => {
    json(await setPool(3, isolation), 200);
    await ready(3, isolation);
    const made = await Promise.all(
      Array.from({ length: 12 }, () => used.api.create({ isolation }, { timeoutMs: 120_000 })),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(12);
    const pooled = made.filter(({ boot_mode }) => boot_mode === 'pool').length;
    expect(pooled).toBeGreaterThanOrEqual(3);
    for (const { id } of made) expect((await used.api.exec(id, 'true')).exit_code).toBe(0);
    expect(await used.api.pool('base', isolation)).toMatchObject({ taken: pooled });
    await drain(isolation);
  });
});

test('bad pools are refused, and nothing comes of them', async () => {
  const { api } = used;
  const put = (template: string, body: object) =>
    api.sendJson('PUT', `/v1/pools/${template}`, body);
  for (const size of [-1, 1001, 1.5, '1', null, undefined])
    faultOf(await put('base', { size }), 'invalid_request');
  faultOf(await put('base', { size: 1, isolation: 'kvm' }), 'invalid_request');
  faultOf(await put('base', { size: 1, more: 1 }), 'invalid_request');
  faultOf(await put('no-such', { size: 1 }), 'unknown_template');
  faultOf(await api.send('GET', '/v1/pools/base'), 'pool_not_found');
  faultOf(await api.send('DELETE', '/v1/pools/base'), 'pool_not_found');
  faultOf(await api.send('GET', '/v1/pools/base?isolation=kvm'), 'invalid_request');
  expect(await api.pools()).toEqual([]);
  const { api: bound } = await api.newKey({ namespaces: ['team'] });
  for (const [method, path] of [
    ['GET', '/v1/pools'],
    ['GET', '/v1/pools/base'],
    ['DELETE', '/v1/pools/base'],
  ] as const)
    faultOf(await bound.send(method, path), 'forbidden');
  faultOf(await bound.sendJson('PUT', '/v1/pools/base', { size: 1 }), 'forbidden');
});

test('a pool larger than the machine is refused', async () => {
  const answer = await used.api.sendJson('PUT', '/v1/pools/base', { size: 256 });
  expect(faultOf(answer, 'limit_reached')).toMatchObject({
    resource: 'memory',
    limit: expect.any(Number),
    error: expect.stringMatching(/MiB of memory/),
  });
  expect(await used.api.pools()).toEqual([]);
});

test('the user that a template does not have is refused, with a pool too', async () => {
  const [isolation] = used.daemon.isolations;
  if (isolation === undefined) throw new Error('no isolation works here');
  json(await setPool(1, isolation), 200);
  await ready(1, isolation);
  faultOf(await used.api.sendJson('POST', '/v1/sandboxes', { user: 'nosuch' }), 'invalid_request');
  expect(await used.api.list()).toEqual([]);
  await ready(1, isolation);
  await drain(isolation);
});

test('a create with other processor time or memory takes one that gets them', async () => {
  const [isolation] = used.daemon.isolations;
  if (isolation === undefined) throw new Error('no isolation works here');
  json(await setPool(1, isolation), 200);
  await ready(1, isolation);
  const asked = { isolation, resources: { cpu: 0.5, memory_mb: 256 } };
  const sandbox = await used.api.create(asked);
  expect(sandbox).toMatchObject({ boot_mode: 'pool', resources: { cpu: 0.5, memory_mb: 256 } });
  const hog = ['python3', '-c', 'x = b"x" * (700 << 20); print("had it")'];
  const { stdout } = await used.api.execFields(sandbox.id, { args: hog });
  expect(stdout).not.toContain('had it');
  await drain(isolation);
});

test('a create with a disk of its own, a volume or a snapshot is made as always', async () => {
  const [isolation] = used.daemon.isolations;
  if (isolation === undefined) throw new Error('no isolation works here');
  json(await setPool(1, isolation), 200);
  await ready(1, isolation);
  const { api } = used;
  for (const fields of [{ resources: { disk_mb: 64 } }, { volumes: [{ name: 'v' }] }])
    expect((await api.create({ isolation, ...fields })).boot_mode).toBe('cold');
  expect(await api.pool('base', isolation)).toMatchObject({ taken: 0, missed: 0 });
  await drain(isolation);
  expect(codeOf(await api.send('DELETE', '/v1/volumes/v'))).toBe('ok');
});
