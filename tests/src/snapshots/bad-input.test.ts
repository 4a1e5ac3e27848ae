import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { snapshotSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import {
  codeOf,
  faultOf,
  json,
  onEachIsolation,
  sandboxProcess,
  signal,
  useDaemon,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';
import { RawTus } from '../uploads/raw-tus.ts';

const used = useDaemon();
const post = (id: string, route: string, body: unknown = {}) =>
  used.api.sendJson('POST', `/v1/sandboxes/${id}/${route}`, body);
const snapshot = async (id: string, body: unknown = {}) =>
  snapshotSchema.parse(json(await post(id, 'snapshots', body), 201));
const remove = (id: string) => used.api.send('DELETE', `/v1/snapshots/${id}`);
const listed = async () => json(await used.api.send('GET', '/v1/snapshots'), 200) as unknown[];

test('what is no snapshot is refused, and makes nothing', async () => {
  const { api } = used;
  const { id } = await api.create({ isolation: 'container' });
  for (const body of [
    { name: '..' },
    { name: 'A' },
    { name: 'a/b' },
    { name: '' },
    { name: 'a'.repeat(64) },
    { memory: 1 },
    { metadata: { a: 1 } },
    { unknown: 1 },
    [],
  ])
    faultOf(await post(id, 'snapshots', body), 'invalid_request');
  faultOf(await post(id, 'snapshots', { memory: true }), 'memory_unavailable');
  faultOf(await post('none', 'snapshots'), 'sandbox_not_found');
  expect(await listed()).toEqual([]);
  const made = await snapshot(id, { name: 'taken' });
  faultOf(await post(id, 'snapshots', { name: 'taken' }), 'name_taken');
  expect(await listed()).toHaveLength(1);
  for (const name of ['none', '..%2F..%2Fetc', '%00', 'x'.repeat(500)])
    faultOf(await api.send('GET', `/v1/snapshots/${name}`), 'snapshot_not_found');
  faultOf(await remove('none'), 'snapshot_not_found');
  const create = (body: unknown) => api.sendJson('POST', '/v1/sandboxes', body);
  faultOf(await create({ from_snapshot: 'none' }), 'snapshot_not_found');
  faultOf(await create({ from_snapshot: '' }), 'invalid_request');
  faultOf(await create({ from_snapshot: made.id, memory: true }), 'memory_unavailable');
  faultOf(await create({ from_snapshot: made.id, user: 'nobody-here' }), 'invalid_request');
  for (const body of [{}, { snapshot: '' }, { snapshot: 7 }, { snapshot: 'taken', more: 1 }])
    faultOf(await post(id, 'restore', body), 'invalid_request');
  faultOf(await post(id, 'restore', { snapshot: 'none' }), 'snapshot_not_found');
  faultOf(await post('none', 'restore', { snapshot: 'taken' }), 'sandbox_not_found');
  expect((await api.list()).map((each) => [each.id, each.status])).toEqual([[id, 'running']]);
  await api.kill(id);
  await remove(made.id);
  await waitForOnly(used.daemon, []);
});

test('a key of another namespace neither sees nor uses a snapshot', async () => {
  const { api } = used;
  const { id } = await api.create({ isolation: 'container' });
  const made = await snapshot(id, { name: 'secret' });
  const { api: other } = await api.newKey({ namespaces: ['other'] });
  const theirs = await other.create({ isolation: 'container', namespace: 'other' });
  expect(json(await other.send('GET', '/v1/snapshots'), 200)).toEqual([]);
  for (const name of [made.id, 'secret']) {
    faultOf(await other.send('GET', `/v1/snapshots/${name}`), 'snapshot_not_found');
    faultOf(await other.send('DELETE', `/v1/snapshots/${name}`), 'snapshot_not_found');
    const from = { from_snapshot: name, namespace: 'other' };
    faultOf(await other.sendJson('POST', '/v1/sandboxes', from), 'snapshot_not_found');
    const restored = await other.sendJson('POST', `/v1/sandboxes/${theirs.id}/restore`, {
      snapshot: name,
    });
    faultOf(restored, 'snapshot_not_found');
  }
  faultOf(await other.send('GET', `/v1/sandboxes/${id}/snapshots`), 'sandbox_not_found');
  // The same name in two namespaces is two snapshots.
  const own = await other.sendJson('POST', `/v1/sandboxes/${theirs.id}/snapshots`, {
    name: 'secret',
  });
  expect(json(own, 201)).toMatchObject({ namespace: 'other' });
  expect(await listed()).toHaveLength(2);
  for (const each of (await listed()) as { id: string }[]) await remove(each.id);
  await api.kill(id);
  await api.kill(theirs.id);
});

onEachIsolation(used, (isolation) => {
  test('failed and hibernated sandboxes are frozen too', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    await api.write(id, '/workspace/file', 'saved');
    json(await post(id, 'hibernate'), 200);
    const asleep = await snapshot(id);
    expect(asleep).toMatchObject({ memory: isolation === 'gvisor', pause_ms: 0 });
    expect((await api.get(id)).status).toBe('hibernated');
    json(await post(id, 'wake'), 200);
    signal(await sandboxProcess(used.daemon, id), 'SIGKILL');
    await waitFor(async () => (await api.get(id)).status === 'failed', { what: 'the death' });
    faultOf(await post(id, 'snapshots', { memory: true }), 'memory_unavailable');
    const dead = await snapshot(id);
    expect(dead).toMatchObject({ memory: false });
    for (const { id: from } of [asleep, dead]) {
      const copy = await api.create({ from_snapshot: from });
      expect((await api.exec(copy.id, 'cat /workspace/file')).stdout).toBe('saved');
      await api.kill(copy.id);
    }
    // A failed sandbox comes back to life from one.
    const restored = json(await post(id, 'restore', { snapshot: asleep.id }), 200);
    expect(restored).toMatchObject({ status: 'running', memory: isolation === 'gvisor' });
    expect((await api.exec(id, 'cat /workspace/file')).stdout).toBe('saved');
    await api.kill(id);
    await remove(asleep.id);
    await remove(dead.id);
  });

  test('a snapshot that is deleted while sandboxes are made from it', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    await api.write(id, '/workspace/file', 'frozen');
    for (const delayMs of [0, 20, 100]) {
      const made = await snapshot(id);
      const creates = Array.from({ length: 2 }, () =>
        api.sendJson('POST', '/v1/sandboxes', { from_snapshot: made.id }),
      );
      await sleep(delayMs);
      expect((await remove(made.id)).status).toBe(204);
      for (const answer of await Promise.all(creates)) {
        if (codeOf(answer) === 'snapshot_not_found') continue;
        const copy = json(answer, 201) as { id: string };
        expect((await api.exec(copy.id, 'cat /workspace/file')).stdout).toBe('frozen');
        await api.kill(copy.id);
      }
      faultOf(await api.send('GET', `/v1/snapshots/${made.id}`), 'snapshot_not_found');
    }
    await api.kill(id);
    expect(await api.list()).toEqual([]);
    await waitForOnly(used.daemon, []);
  });

  test('a sandbox that is deleted while it is frozen or restored leaves nothing', async () => {
    const { api } = used;
    for (const delayMs of [0, 20, 100]) {
      const { id } = await api.create({ isolation });
      const kept = await snapshot(id);
      const changes = [post(id, 'snapshots'), post(id, 'restore', { snapshot: kept.id })];
      await sleep(delayMs);
      await api.kill(id);
      const [frozen, restored] = await Promise.all(changes);
      if (frozen === undefined || restored === undefined) throw new Error('no answers');
      expect(restored.status, restored.body.toString()).not.toBe(500);
      const left = (await listed()) as { id: string }[];
      expect(left).toHaveLength(codeOf(frozen) === 'ok' ? 2 : 1);
      for (const each of left) expect((await remove(each.id)).status).toBe(204);
      expect(await api.list()).toEqual([]);
    }
    await waitForOnly(used.daemon, []);
  });

  test('unfinished uploads are in no copy, and a restore gives those of the sandbox up', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    const tus = new RawTus(api, id);
    const location = await tus.begin(10, { path: '/workspace/file' });
    expect((await tus.patch(location, 0, 'first')).status).toBe(204);
    const made = await snapshot(id);
    const copy = await api.create({ from_snapshot: made.id });
    expect(await api.names(copy.id, '/workspace')).toEqual([]);
    expect((await tus.patch(location, 5, 'later')).status).toBe(204);
    expect((await api.read(id, '/workspace/file')).toString()).toBe('firstlater');
    const second = await tus.begin(10, { path: '/workspace/other' });
    json(await post(id, 'restore', { snapshot: made.id }), 200);
    expect(await api.names(id, '/workspace')).toEqual([]);
    expect((await tus.head(second)).status).toBe(404);
    await api.kill(id);
    await api.kill(copy.id);
    await remove(made.id);
  });

  test('a disk limit holds in copies, and one that is too small is told', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation, resources: { disk_mb: 96 } });
    await api.write(id, '/workspace/large', randomBytes(48 * 2 ** 20));
    const made = await snapshot(id);
    const copy = await api.create({ from_snapshot: made.id });
    expect(copy.resources.disk_mb).toBe(96);
    const fill = 'dd if=/dev/zero of=/workspace/fill bs=1M count=200';
    expect((await api.exec(copy.id, fill)).stderr).toMatch(/No space left|quota exceeded/);
    const small = { from_snapshot: made.id, resources: { disk_mb: 16 } };
    faultOf(await api.sendJson('POST', '/v1/sandboxes', small), 'disk_full');
    const larger = await api.create({ from_snapshot: made.id, resources: { disk_mb: 192 } });
    const more = 'dd if=/dev/zero of=/workspace/fill bs=1M count=100';
    expect((await api.exec(larger.id, more)).exit_code).toBe(0);
    for (const each of [id, copy.id, larger.id]) await api.kill(each);
    await remove(made.id);
    await waitForOnly(used.daemon, []);
  });
});
