import { type Isolation, snapshotSchema, wokenSandboxSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { faultOf, json, onEachIsolation, useDaemon, waitFor } from '../harness/index.ts';

const used = useDaemon();
const snapshot = async (id: string, body?: unknown) => {
  const path = `/v1/sandboxes/${id}/snapshots`;
  const answer =
    body === undefined
      ? await used.api.send('POST', path)
      : await used.api.sendJson('POST', path, body);
  return snapshotSchema.parse(json(answer, 201));
};
const list = async (query = '') =>
  z.array(snapshotSchema).parse(json(await used.api.send('GET', `/v1/snapshots${query}`), 200));
const remove = async (id: string) =>
  expect((await used.api.send('DELETE', `/v1/snapshots/${id}`)).status).toBe(204);
const restore = async (id: string, name: string) => {
  const answer = await used.api.sendJson('POST', `/v1/sandboxes/${id}/restore`, { snapshot: name });
  return wokenSandboxSchema.parse(json(answer, 200));
};
const keepsMemory = (isolation: Isolation) => isolation === 'gvisor';
const counter =
  "nohup sh -c 'n=0; while :; do n=$((n+1)); echo $n >> /workspace/log; sleep 0.1; done' >/dev/null 2>&1 &";

onEachIsolation(used, (isolation) => {
  test('a snapshot outlives its sandbox, and sandboxes are made from it', async () => {
    const { api } = used;
    const name = `kept-${isolation}`;
    const volumes = [{ name }];
    const origin = await api.create({
      isolation,
      volumes,
      env: { COLOUR: 'red' },
      workdir: '/srv/app',
      resources: { pids: 77 },
    });
    await api.write(origin.id, '/srv/app/file', 'frozen');
    await api.write(origin.id, `/mnt/${name}/file`, 'shared');
    const made = await snapshot(origin.id, { name, metadata: { why: 'test' } });
    expect(made).toMatchObject({
      name,
      namespace: 'default',
      sandbox_id: origin.id,
      template: origin.template,
      isolation,
      memory: keepsMemory(isolation),
      volumes,
      metadata: { why: 'test' },
    });
    expect(made.size_bytes).toBeGreaterThan(0);
    expect((await api.get(origin.id)).status).toBe('running');
    await api.write(origin.id, '/srv/app/file', 'later');
    await api.kill(origin.id);
    expect(json(await api.send('GET', `/v1/snapshots/${name}`), 200)).toEqual(made);
    await used.daemon.kill9();
    await used.daemon.start();
    expect(await list(`?sandbox=${origin.id}`)).toEqual([made]);
    expect(await list(`?sandbox_id=${origin.id}`)).toEqual([made]);
    expect(await list('?namespace=other')).toEqual([]);
    const copies = await Promise.all([
      used.api.create({ from_snapshot: name }),
      used.api.create({ from_snapshot: made.id, memory: false, template: 'ubuntu-24.04' }),
      used.api.create({ from_snapshot: name, volumes: [], env: { COLOUR: 'blue' } }),
    ]);
    expect(copies.map((copy) => copy.boot_mode)).toEqual(
      keepsMemory(isolation) ? ['memory', 'disk', 'disk'] : ['disk', 'disk', 'disk'],
    );
    for (const copy of copies) {
      expect(copy).toMatchObject({
        status: 'running',
        from_snapshot: made.id,
        isolation,
        template: origin.template,
        workdir: '/srv/app',
        resources: { pids: 77 },
      });
      const seen = await used.api.exec(copy.id, 'cat file; pwd');
      expect(seen.stdout).toBe('frozen/srv/app\n');
      await used.api.write(copy.id, '/srv/app/file', copy.id);
    }
    const [first, second, bare] = copies;
    if (first === undefined || second === undefined || bare === undefined) throw new Error('gone');
    expect(first.volumes).toEqual(volumes);
    expect((await used.api.exec(first.id, `cat /mnt/${name}/file`)).stdout).toBe('shared');
    expect(bare.volumes).toEqual([]);
    expect((await used.api.exec(bare.id, 'echo $COLOUR')).stdout).toBe('blue\n');
    expect((await used.api.exec(second.id, 'echo $COLOUR; cat file')).stdout).toBe(
      `red\n${second.id}`,
    );
    await remove(name);
    faultOf(await used.api.send('GET', `/v1/snapshots/${made.id}`), 'snapshot_not_found');
    // What was made from it stays.
    for (const copy of copies) {
      expect((await used.api.exec(copy.id, 'cat file')).stdout).toBe(copy.id);
      await used.api.kill(copy.id);
    }
  });

  test('a snapshot with memory goes on where it was, again and again', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    await api.exec(id, counter);
    const last = async (sandbox: string) =>
      Number((await api.exec(sandbox, 'tail -n1 /workspace/log')).stdout);
    await waitFor(async () => (await last(id)) > 3, { what: 'some counting' });
    const made = await snapshot(id);
    const frozen = await last(id);
    await waitFor(async () => (await last(id)) > frozen + 5, { what: 'the sandbox to go on' });
    for (let round = 0; round < 2; round++) {
      const copy = await api.create({ from_snapshot: made.id });
      if (keepsMemory(isolation)) {
        await waitFor(async () => (await last(copy.id)) > frozen + 5, { what: 'the copy' });
        const text = (await api.exec(copy.id, 'cat /workspace/log')).stdout.trim();
        const numbers = text.split('\n').map(Number);
        expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      } else {
        expect((await api.exec(copy.id, 'pgrep -f [w]orkspace/log || echo none')).stdout).toBe(
          'none\n',
        );
      }
      await api.kill(copy.id);
    }
    await api.kill(id);
    await remove(made.id);
  });

  test('restore puts the state back in place: running, paused or hibernated', async () => {
    const { api } = used;
    const name = `restored-${isolation}`;
    const { id } = await api.create({ isolation, name, volumes: [{ name }] });
    await api.write(id, '/workspace/file', 'then');
    await api.write(id, `/mnt/${name}/file`, 'then');
    await snapshot(id, { name });
    for (const state of ['running', 'paused', 'hibernated']) {
      await api.write(id, '/workspace/file', 'now');
      await api.write(id, '/workspace/new', 'now');
      await api.write(id, `/mnt/${name}/file`, 'now');
      if (state === 'paused') json(await api.send('POST', `/v1/sandboxes/${id}/pause`), 200);
      if (state === 'hibernated')
        json(await api.send('POST', `/v1/sandboxes/${id}/hibernate`), 200);
      const restored = await restore(name, name);
      expect(restored).toMatchObject({
        id,
        name,
        status: 'running',
        woken: true,
        memory: keepsMemory(isolation),
      });
      expect((await api.exec(id, 'cat /workspace/file; ls /workspace')).stdout).toBe('thenfile\n');
      expect((await api.read(id, '/workspace/file')).toString()).toBe('then');
      // A volume is no part of it.
      expect((await api.exec(id, `cat /mnt/${name}/file`)).stdout).toBe('now');
    }
    await used.daemon.kill9();
    await used.daemon.start();
    expect((await used.api.exec(id, 'cat /workspace/file')).stdout).toBe('then');
    await used.api.kill(id);
    await remove(name);
  });

  test('a disk-only snapshot begins in the other isolation too', async (context) => {
    const { api } = used;
    const other = isolation === 'gvisor' ? 'container' : 'gvisor';
    if (!used.daemon.isolations.includes(other)) context.skip(`${other} does not work here`);
    const { id } = await api.create({ isolation });
    await api.asRoot(id, 'echo -n root > /workspace/root; chmod 600 /workspace/root');
    const made = await snapshot(id);
    const copy = await api.create({ from_snapshot: made.id, isolation: other });
    expect(copy).toMatchObject({ isolation: other, boot_mode: 'disk' });
    expect(await api.asRoot(copy.id, 'cat /workspace/root; stat -c " %U %a" /workspace/root')).toBe(
      'root root 600\n',
    );
    const body = { from_snapshot: made.id, isolation: other, memory: true };
    faultOf(await api.sendJson('POST', '/v1/sandboxes', body), 'memory_unavailable');
    await api.kill(id);
    await api.kill(copy.id);
    await remove(made.id);
  });
});
