import { Client, NotFoundError, Sandbox } from '@pandastack/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isolationsHere, startDaemon, type TestDaemon } from '../harness/index.ts';

// What the unmodified npm package promises of a sandbox's life: see pandastack-npm.test.ts.
const here = await isolationsHere();

describe.each(['gvisor', 'container'] as const)('@pandastack/sdk on %s', (isolation) => {
  const works = here.includes(isolation);
  let daemon: TestDaemon;
  let client: Client;

  beforeEach((context) => {
    if (!works) context.skip(`${isolation} does not work on this machine; see \`sandport doctor\``);
  });
  beforeAll(async () => {
    if (!works) return;
    daemon = await startDaemon({ isolation });
    client = new Client({ apiUrl: daemon.url, apiKey: daemon.apiKey });
  });
  afterAll(async () => {
    if (works) await daemon[Symbol.asyncDispose]();
  });
  const statusOf = async ({ id }: Sandbox) => (await Sandbox.get(id, client)).status;

  test('volumes at /mnt/NAME survive kill, hibernate and fork', async () => {
    const volume = await client.volumes.create({ name: 'dataset', size_mb: 64 });
    expect(volume).toMatchObject({ name: 'dataset', size_mb: 64 });
    const volumes = [{ name: 'dataset' }];
    const first = await Sandbox.create({ volumes }, client);
    await first.exec('echo -n kept > /mnt/dataset/file');
    const child = await first.fork();
    expect((await child.exec('cat /mnt/dataset/file')).stdout).toBe('kept');
    await first.hibernate();
    await first.wake();
    expect((await first.exec('cat /mnt/dataset/file')).stdout).toBe('kept');
    await expect(client.volumes.delete('dataset')).rejects.toMatchObject({ statusCode: 409 });
    await first.kill();
    await child.kill();
    const later = await Sandbox.create({ volumes: [{ name: 'dataset', readOnly: true }] }, client);
    expect((await later.exec('cat /mnt/dataset/file')).stdout).toBe('kept');
    expect((await later.exec('touch /mnt/dataset/x')).exitCode).not.toBe(0);
    await later.kill();
    expect((await client.volumes.list()).map(({ name }) => name)).toEqual(['dataset']);
    await client.volumes.delete('dataset');
    await expect(client.volumes.get('dataset')).rejects.toThrow(NotFoundError);
  });

  test('pause, resume, hibernate, wake, and waking by itself', async () => {
    const sandbox = await Sandbox.create({}, client);
    await sandbox.filesystem.write('/workspace/file', 'there');
    await sandbox.pause();
    expect(await statusOf(sandbox)).toBe('paused');
    await expect(sandbox.exec('true')).rejects.toMatchObject({ statusCode: 409 });
    expect(await sandbox.filesystem.read('/workspace/file')).toBe('there');
    await sandbox.resume();
    expect((await sandbox.exec('cat /workspace/file')).stdout).toBe('there');
    await sandbox.hibernate();
    expect(await statusOf(sandbox)).toBe('hibernated');
    expect(await sandbox.filesystem.read('/workspace/file')).toBe('there');
    expect(await statusOf(sandbox)).toBe('hibernated');
    expect((await sandbox.exec('cat /workspace/file')).stdout).toBe('there');
    expect(await statusOf(sandbox)).toBe('running');
    // Waking one that runs is no error.
    await sandbox.wake();
    await sandbox.kill();
  });

  test('setTtl, setPersistent and lifecycle', async () => {
    const sandbox = await Sandbox.create({ ttlSeconds: 500 }, client);
    expect(await sandbox.lifecycle()).toMatchObject({ ttl_seconds: 500, persistent: false });
    expect(await sandbox.setTtl(900)).toMatchObject({ ttl_seconds: 900 });
    expect(await sandbox.setPersistent(true)).toMatchObject({ persistent: true });
    expect(await sandbox.lifecycle()).toMatchObject({
      ttl_seconds: 900,
      persistent: true,
      idle_seconds: expect.any(Number),
    });
    await sandbox.setPersistent(false);
    await sandbox.setTtl(1);
    await expect.poll(() => statusOf(sandbox).catch(() => 'gone')).toBe('gone');
  });

  test('fork and forkTree give sandboxes; promote keeps one', async () => {
    const sandbox = await Sandbox.create({ metadata: { team: 'a' } }, client);
    await sandbox.exec('echo -n state > /workspace/state');
    const child = await sandbox.fork();
    expect(child.id).not.toBe(sandbox.id);
    expect(child.status).toBe('running');
    expect((await child.exec('cat /workspace/state')).stdout).toBe('state');
    const named = await sandbox.fork({ metadata: { idea: '1' } });
    expect((await Sandbox.get(named.id, client)).info.metadata).toMatchObject({
      team: 'a',
      idea: '1',
    });
    const children = await sandbox.forkTree({ count: 2, metadata: { step: '2' } });
    expect(children).toHaveLength(2);
    const [winner, loser] = children;
    if (winner === undefined || loser === undefined) throw new Error('too few children');
    expect((await winner.exec('cat /workspace/state')).stdout).toBe('state');
    expect(winner.info.metadata).toMatchObject({ team: 'a', step: '2' });
    const promoted = await winner.promote({ cleanupSiblings: true });
    expect(promoted).toMatchObject({ winner: winner.id, deleted: [loser.id] });
    await expect(Sandbox.get(loser.id, client)).rejects.toThrow(NotFoundError);
    for (const each of [sandbox, child, named, winner]) await each.kill();
  });

  test('explore tries ideas side by side, and keeps the best', async () => {
    const sandbox = await Sandbox.create({}, client);
    await sandbox.exec('echo 10 > /home/user/number');
    const result = await sandbox.explore(
      [
        'echo $(($(cat /home/user/number) + 1)) > /home/user/answer',
        'echo $(($(cat /home/user/number) * 5)) > /home/user/answer',
        'exit 7',
      ],
      {
        scoreFn: async (branch) =>
          Number((await branch.exec('cat /home/user/answer 2>/dev/null || echo 0')).stdout),
      },
    );
    expect(result.errors).toEqual([]);
    expect(result.outcomes.map(({ exitCode }) => exitCode).sort()).toEqual([0, 0, 7]);
    expect(result.winnerOutcome?.score).toBe(50);
    expect(result.winnerOutcome?.filesChanged).toContain('/home/user/answer');
    expect(result.treeId).not.toBe('');
    expect(result.reaped).toHaveLength(2);
    expect((await result.winner?.exec('cat /home/user/answer'))?.stdout).toBe('50\n');
    expect((await Sandbox.list(client)).map(({ id }) => id).sort()).toEqual(
      [sandbox.id, result.winner?.id].sort(),
    );
    await result.winner?.kill();
    await sandbox.kill();
  });

  test('snapshots are made, listed, begun from and deleted', async () => {
    const sandbox = await Sandbox.create({}, client);
    await sandbox.filesystem.write('/workspace/file', 'frozen');
    const { id } = await sandbox.snapshot();
    const mine = await client.snapshots.list({ sandbox_id: sandbox.id });
    expect(mine.map((each) => each.id)).toEqual([id]);
    expect((await client.snapshots.get(id)).id).toBe(id);
    await sandbox.kill();
    const copy = await Sandbox.create({ fromSnapshot: id }, client);
    expect(await copy.filesystem.read('/workspace/file')).toBe('frozen');
    await copy.kill();
    await client.snapshots.delete(id);
    await expect(client.snapshots.get(id)).rejects.toThrow(NotFoundError);
  });
});
