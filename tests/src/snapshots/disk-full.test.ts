import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import {
  faultOf,
  isolationsHere,
  json,
  newDataDir,
  startDaemon,
  waitForOnly,
} from '../harness/index.ts';

const here = await isolationsHere();
const mebibyte = 2 ** 20;

// The disk of the daemon itself is full: a file system of its own stands for it.
describe.each(['gvisor', 'container'] as const)('%s', (isolation) => {
  const dataDir = newDataDir();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=176m,mode=755', 'sandport-test', dataDir]);
  afterAll(() => {
    execFileSync('umount', ['--lazy', dataDir]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('a copy that finds the disk full is 507, leaves nothing, and hurts nobody', async (context) => {
    if (!here.includes(isolation)) context.skip(`${isolation} does not work on this machine`);
    await using daemon = await startDaemon({ isolation, dataDir, args: ['--storage', 'overlay'] });
    const { api } = daemon;
    const post = (id: string, route: string, body: unknown = {}) =>
      api.sendJson('POST', `/v1/sandboxes/${id}/${route}`, body);
    const { id } = await api.create();
    const large = randomBytes(60 * mebibyte);
    await api.write(id, '/workspace/large', large);
    const { id: kept } = json(await post(id, 'snapshots', { memory: false }), 201) as {
      id: string;
    };
    const intact = async () => {
      expect(await api.list()).toHaveLength(1);
      expect(json(await api.send('GET', '/v1/snapshots'), 200)).toHaveLength(1);
      expect((await api.get(id)).status).toBe('running');
      expect((await api.exec(id, 'wc -c < /workspace/large')).stdout).toBe(`${large.length}\n`);
      await waitForOnly(daemon, [id, kept]);
    };
    for (let round = 0; round < 2; round++) {
      faultOf(await post(id, 'snapshots'), 'disk_full');
      await intact();
      faultOf(await post(id, 'fork'), 'disk_full');
      await intact();
      faultOf(await post(id, 'fork-tree', { count: 2, memory: false }), 'disk_full');
      await intact();
      faultOf(await api.sendJson('POST', '/v1/sandboxes', { from_snapshot: kept }), 'disk_full');
      await intact();
      faultOf(await post(id, 'restore', { snapshot: kept }), 'disk_full');
      await intact();
    }
    // What was refused took nothing: with room again the same succeeds. The guest removes the file:
    // gVisor holds files open that it has read, and so their room.
    await api.asRoot(id, 'rm /workspace/large');
    json(await post(id, 'restore', { snapshot: kept }), 200);
    expect((await api.read(id, '/workspace/large')).equals(large)).toBe(true);
    await api.kill(id);
    expect((await api.send('DELETE', `/v1/snapshots/${kept}`)).status).toBe(204);
    await waitForOnly(daemon, []);
  });
});
