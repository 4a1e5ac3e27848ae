import { forkResultSchema, forkTreeResultSchema, type Isolation } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { json, onEachIsolation, useDaemon, waitFor } from '../harness/index.ts';

const used = useDaemon();
const post = (id: string, route: string, body?: unknown) =>
  body === undefined
    ? used.api.send('POST', `/v1/sandboxes/${id}/${route}`)
    : used.api.sendJson('POST', `/v1/sandboxes/${id}/${route}`, body);
const fork = async (id: string, body?: unknown) =>
  forkResultSchema.parse(json(await post(id, 'fork', body), 201));
const forkTree = async (id: string, body?: unknown) =>
  forkTreeResultSchema.parse(json(await post(id, 'fork-tree', body), 201));
const keepsMemory = (isolation: Isolation) => isolation === 'gvisor';

onEachIsolation(used, (isolation) => {
  test('a child is a running copy, and both go their own ways at once', async () => {
    const { api } = used;
    const parent = await api.create({
      isolation,
      env: { COLOUR: 'red' },
      metadata: { team: 'a', step: '1' },
      ttl_seconds: 3600,
      idle_timeout_seconds: 900,
      idle_action: 'kill',
      resources: { cpu: 0.5, pids: 99 },
    });
    await api.write(parent.id, '/workspace/state', 'shared');
    await api.asRoot(
      parent.id,
      'chmod 640 /workspace/state; rm /etc/motd; ln -s state /workspace/l',
    );
    const result = await fork(parent.id, { metadata: { step: '2', extra: 'x' } });
    expect(result).toMatchObject({
      parent_id: parent.id,
      memory: keepsMemory(isolation),
      snapshot_id: result.tree_id,
    });
    expect(result.errors).toBeUndefined();
    expect(result.pause_ms).toBeLessThan(isolation === 'gvisor' ? 5_000 : 2_000);
    const [id] = result.children;
    const [child] = result.sandboxes;
    if (id === undefined || child === undefined) throw new Error('no child');
    expect(await api.get(id)).toMatchObject({
      id,
      parent_id: parent.id,
      fork_tree_id: result.tree_id,
      status: 'running',
      isolation,
      boot_mode: keepsMemory(isolation) ? 'memory' : 'disk',
      metadata: { team: 'a', step: '2', extra: 'x', fork_tree_id: result.tree_id },
      env: { COLOUR: 'red' },
      ttl_seconds: 3600,
      idle_timeout_seconds: 900,
      idle_action: 'kill',
      resources: { cpu: 0.5, pids: 99 },
    });
    expect(child.id).toBe(id);
    expect(child.name).toBeUndefined();
    expect(Date.parse(child.expires_at ?? '')).toBeGreaterThan(Date.parse(parent.expires_at ?? ''));
    expect((await api.get(parent.id)).status).toBe('running');
    // The copy has the files with their owners and modes, and lacks what the parent lacked.
    const seen = await api.asRoot(
      id,
      'cat /workspace/l; stat -c " %U %a" /workspace/state; ls /etc/motd || true',
    );
    expect(seen).toBe('shared user 640\n');
    expect((await api.exec(id, 'echo $COLOUR')).stdout).toBe('red\n');
    await api.write(id, '/workspace/state', 'of the child');
    await api.write(parent.id, '/workspace/state', 'of the parent');
    expect((await api.exec(parent.id, 'cat /workspace/state')).stdout).toBe('of the parent');
    expect((await api.exec(id, 'cat /workspace/state')).stdout).toBe('of the child');
    // The end of one is nothing to the other.
    await api.kill(parent.id);
    expect((await api.exec(id, 'cat /workspace/state')).stdout).toBe('of the child');
    expect((await api.get(id)).parent_id).toBe(parent.id);
    await api.kill(id);
  });

  test('the processes of the parent go on, and with memory they are in the child too', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    await api.exec(
      id,
      "nohup sh -c 'n=0; exec 3>/workspace/log; while :; do n=$((n+1)); echo $n >&3; sleep 0.1; done' >/dev/null 2>&1 &",
    );
    const last = async (sandbox: string) =>
      Number((await api.exec(sandbox, 'tail -n1 /workspace/log')).stdout);
    await waitFor(async () => (await last(id)) > 3, { what: 'some counting' });
    const { children, memory } = await fork(id);
    const [child] = children;
    if (child === undefined) throw new Error('no child');
    const atFork = await last(child);
    expect(memory).toBe(keepsMemory(isolation));
    await waitFor(async () => (await last(id)) > atFork + 5, { what: 'the parent to go on' });
    if (keepsMemory(isolation)) {
      await waitFor(async () => (await last(child)) > atFork + 5, { what: 'the child to go on' });
      const numbers = (await api.exec(child, 'cat /workspace/log')).stdout.trim().split('\n');
      expect(numbers.map(Number)).toEqual(numbers.map((_, index) => index + 1));
    } else {
      expect((await api.exec(child, 'pgrep -f [w]orkspace/log || echo none')).stdout).toBe(
        'none\n',
      );
    }
    const cold = await fork(id, { memory: false });
    expect(cold.memory).toBe(false);
    expect(cold.sandboxes[0]?.boot_mode).toBe('disk');
    const [alone = ''] = cold.children;
    const running = await api.exec(alone, 'pgrep -f [w]orkspace/log || echo none');
    expect(running.stdout).toBe('none\n');
    for (const sandbox of [id, child, alone]) await api.kill(sandbox);
  });

  test('a tree of children is tried, the best is promoted, its siblings go', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation, name: `parent-${isolation}` });
    await api.write(id, '/workspace/from', 'parent');
    const tree = await forkTree(`parent-${isolation}`, { count: 3, memory: false });
    expect(tree.children).toHaveLength(3);
    expect(new Set(tree.children.map((child) => child.id)).size).toBe(3);
    await Promise.all(
      tree.children.map(async (child, index) => {
        expect(child.metadata['fork_tree_id']).toBe(tree.tree_id);
        await api.write(child.id, '/workspace/idea', `idea ${index}`);
      }),
    );
    for (const [index, child] of tree.children.entries())
      expect((await api.exec(child.id, 'cat /workspace/from /workspace/idea')).stdout).toBe(
        `parentidea ${index}`,
      );
    const [, winner, ...others] = tree.children;
    const first = tree.children[0];
    if (winner === undefined || first === undefined) throw new Error('too few children');
    const body = { tree_id: tree.tree_id, cleanup_siblings: true };
    const promoted = json(await post(winner.id, 'promote', body), 200) as { deleted: string[] };
    expect(promoted).toMatchObject({ winner: winner.id, tree_id: tree.tree_id });
    expect(promoted.deleted.sort()).toEqual([first, ...others].map((each) => each.id).sort());
    const left = await api.list();
    expect(left.map((each) => each.id).sort()).toEqual([id, winner.id].sort());
    const kept = await api.get(winner.id);
    expect(kept.fork_tree_id).toBeUndefined();
    expect(kept.metadata['fork_tree_id']).toBe(tree.tree_id);
    expect((await api.exec(winner.id, 'cat /workspace/idea')).stdout).toBe('idea 1');
    await api.kill(id);
    await api.kill(winner.id);
  });

  test('volumes are shared with the children as they are mounted', async () => {
    const { api } = used;
    const name = `forked-${isolation}`;
    const volumes = [{ name }, { name: `${name}-ro`, path: '/data', read_only: true }];
    const { id } = await api.create({ isolation, volumes });
    await api.write(id, `/mnt/${name}/file`, 'one');
    const { children, sandboxes } = await fork(id, { count: 2 });
    expect(sandboxes.map((child) => child.volumes)).toEqual([volumes, volumes]);
    for (const child of children) {
      expect((await api.exec(child, `cat /mnt/${name}/file`)).stdout).toBe('one');
      expect((await api.exec(child, 'touch /data/x', { user: 'root' })).stderr).toMatch(
        /Read-only/,
      );
      await api.exec(child, `echo -n ${child} > /mnt/${name}/${child}`);
      expect((await api.read(id, `/mnt/${name}/${child}`)).toString()).toBe(child);
    }
    await api.write(id, `/mnt/${name}/file`, 'two');
    for (const child of children)
      expect((await api.exec(child, `cat /mnt/${name}/file`)).stdout).toBe('two');
    const told = json(await api.send('GET', `/v1/volumes/${name}`), 200) as { used_by: string[] };
    expect(told.used_by.sort()).toEqual([id, ...children].sort());
    for (const sandbox of [id, ...children]) await api.kill(sandbox);
  });

  test('a paused parent stays paused, a hibernated one hibernated; the children run', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    await api.write(id, '/workspace/file', 'there');
    for (const state of ['paused', 'hibernated'] as const) {
      json(await post(id, state === 'paused' ? 'pause' : 'hibernate'), 200);
      const { children, memory } = await fork(id);
      expect((await api.get(id)).status).toBe(state);
      expect(memory).toBe(keepsMemory(isolation));
      const [child = ''] = children;
      expect((await api.get(child)).status).toBe('running');
      expect((await api.exec(child, 'cat /workspace/file')).stdout).toBe('there');
      await api.kill(child);
      if (state === 'paused') json(await post(id, 'resume'), 200);
    }
    json(await post(id, 'wake'), 200);
    expect((await api.exec(id, 'cat /workspace/file')).stdout).toBe('there');
    await api.kill(id);
  });

  test('a child is forked, hibernated, woken and survives a killed daemon like any other', async () => {
    const { id } = await used.api.create({ isolation });
    await used.api.write(id, '/workspace/file', 'grand');
    const [child = ''] = (await fork(id)).children;
    await used.api.kill(id);
    const [grandchild = ''] = (await fork(child)).children;
    json(await post(grandchild, 'hibernate'), 200);
    await used.daemon.kill9();
    await used.daemon.start();
    expect((await used.api.exec(child, 'cat /workspace/file')).stdout).toBe('grand');
    expect((await used.api.exec(grandchild, 'cat /workspace/file')).stdout).toBe('grand');
    expect((await used.api.get(grandchild)).parent_id).toBe(child);
    for (const sandbox of [child, grandchild]) await used.api.kill(sandbox);
  });
});
