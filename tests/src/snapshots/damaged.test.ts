import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { snapshotSchema } from '@sandport/protocol';
import { beforeEach, expect, test } from 'vitest';
import { faultOf, json, useDaemon, waitForOnly } from '../harness/index.ts';

const used = useDaemon();
const post = (id: string, route: string, body: unknown = {}) =>
  used.api.sendJson('POST', `/v1/sandboxes/${id}/${route}`, body);

beforeEach((context) => {
  if (!used.daemon.isolations.includes('gvisor'))
    context.skip('gvisor does not work on this machine; see `sandport doctor`');
});

/** Cuts every file of a snapshot's memory image short. */
function damage(snapshot: string): void {
  const image = join(used.daemon.dataDir, 'snapshots', snapshot, 'memory');
  const files = readdirSync(image).map((name) => join(image, name));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) truncateSync(file, Math.floor(statSync(file).size / 2));
}

test('without its memory image a snapshot still gives its disk, and says so', async () => {
  const { api } = used;
  const { id } = await api.create({ isolation: 'gvisor' });
  await api.write(id, '/workspace/file', 'frozen');
  const made = snapshotSchema.parse(json(await post(id, 'snapshots'), 201));
  expect(made.memory).toBe(true);
  damage(made.id);
  const copy = await api.create({ from_snapshot: made.id });
  expect(copy).toMatchObject({
    status: 'running',
    boot_mode: 'disk',
    status_reason: expect.stringContaining('memory'),
  });
  expect((await api.exec(copy.id, 'cat /workspace/file')).stdout).toBe('frozen');
  await api.write(id, '/workspace/file', 'later');
  const restored = json(await post(id, 'restore', { snapshot: made.id }), 200);
  expect(restored).toMatchObject({
    status: 'running',
    memory: false,
    boot_mode: 'disk',
    status_reason: expect.stringContaining('memory'),
  });
  expect((await api.exec(id, 'cat /workspace/file')).stdout).toBe('frozen');
  await api.kill(id);
  await api.kill(copy.id);
  expect((await api.send('DELETE', `/v1/snapshots/${made.id}`)).status).toBe(204);
  faultOf(await api.send('GET', `/v1/snapshots/${made.id}`), 'snapshot_not_found');
  await waitForOnly(used.daemon, []);
});
