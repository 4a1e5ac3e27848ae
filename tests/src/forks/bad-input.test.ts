import { forkTreeResultSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import {
  codeOf,
  faultOf,
  json,
  onEachIsolation,
  sandboxProcess,
  signal,
  temporaryFiles,
  useDaemon,
  waitFor,
} from '../harness/index.ts';
import { RawTus } from '../uploads/raw-tus.ts';

const used = useDaemon();
const post = (id: string, route: string, body: unknown = {}) =>
  used.api.sendJson('POST', `/v1/sandboxes/${id}/${route}`, body);
const forkTree = async (id: string, body: unknown = {}) =>
  forkTreeResultSchema.parse(json(await post(id, 'fork-tree', body), 201));

test('what is no fork is refused, and makes nothing', async () => {
  const { api } = used;
  const { id } = await api.create({ isolation: 'container' });
  for (const body of [
    { count: 0 },
    { count: 17 },
    { count: -1 },
    { count: 1.5 },
    { count: '2' },
    { memory: 'yes' },
    { metadata: { a: 1 } },
    { metadata: { '': 'x' } },
    { unknown: true },
    [],
    null,
  ]) {
    faultOf(await post(id, 'fork', body), 'invalid_request');
    faultOf(await post(id, 'fork-tree', body), 'invalid_request');
  }
  faultOf(await post(id, 'fork', { mode: 'lukewarm' }), 'invalid_request');
  faultOf(await post(id, 'fork', { mode: 'cold', memory: true }), 'invalid_request');
  expect(faultOf(await post(id, 'fork', { memory: true }), 'memory_unavailable')).toMatchObject({
    sandbox: id,
    isolation: 'container',
  });
  faultOf(await post('none', 'fork'), 'sandbox_not_found');
  faultOf(await post('00000000-0000-4000-8000-000000000000', 'fork'), 'sandbox_not_found');
  const { api: other } = await api.newKey({ namespaces: ['other'] });
  for (const route of ['fork', 'fork-tree', 'promote'])
    faultOf(await other.sendJson('POST', `/v1/sandboxes/${id}/${route}`, {}), 'sandbox_not_found');
  expect(await api.list()).toHaveLength(1);
  await api.kill(id);
});

test('what is no promotion is refused, and deletes nothing', async () => {
  const { api } = used;
  const { id } = await api.create({ isolation: 'container' });
  faultOf(await post(id, 'promote', { cleanup_siblings: true }), 'invalid_request');
  faultOf(await post(id, 'promote', { tree_id: 'none' }), 'invalid_request');
  expect(json(await post(id, 'promote'), 200)).toEqual({ winner: id, deleted: [] });
  const [mine, theirs] = [await forkTree(id, { count: 2 }), await forkTree(id, { count: 1 })];
  const [first, second] = mine.children.map((child) => child.id);
  if (first === undefined || second === undefined) throw new Error('too few children');
  const wrong = { tree_id: theirs.tree_id, cleanup_siblings: true };
  faultOf(await post(first, 'promote', wrong), 'invalid_request');
  faultOf(await post(id, 'promote', wrong), 'invalid_request');
  faultOf(await post(first, 'promote', { tree_id: 'x'.repeat(65) }), 'invalid_request');
  expect(await api.list()).toHaveLength(4);
  // Two at once: one of them is a sibling by then.
  const both = await Promise.all(
    [first, second].map((child) => post(child, 'promote', { cleanup_siblings: true })),
  );
  expect(both.map(codeOf).sort()).toEqual(expect.arrayContaining(['ok']));
  expect(both.map(codeOf).filter((code) => code !== 'ok')).toEqual([
    expect.stringMatching(/^(invalid_state|sandbox_not_found)$/),
  ]);
  const left = (await api.list()).map((each) => each.id);
  expect(left).toHaveLength(3);
  expect(left.filter((each) => each === first || each === second)).toHaveLength(1);
  // Once more it is no error, while nothing is left to be deleted.
  const winner = left.find((each) => each === first || each === second) ?? '';
  const again = await post(winner, 'promote', { cleanup_siblings: true });
  expect(json(again, 200)).toEqual({ winner, tree_id: mine.tree_id, deleted: [] });
  const pair = (await forkTree(id, { count: 2 })).children.map((child) => child.id);
  const [kept = '', sibling = ''] = pair;
  json(await post(kept, 'promote'), 200);
  faultOf(await post(kept, 'promote', { cleanup_siblings: true }), 'invalid_request');
  for (const each of [kept, sibling]) await api.kill(each);
  for (const each of left) await api.kill(each);
});

onEachIsolation(used, (isolation) => {
  test('a failed sandbox is forked with its disk, into a running one', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    await api.write(id, '/workspace/file', 'saved');
    signal(await sandboxProcess(used.daemon, id), 'SIGKILL');
    await waitFor(async () => (await api.get(id)).status === 'failed', { what: 'the death' });
    faultOf(await post(id, 'fork', { memory: true }), 'memory_unavailable');
    const { children, memory, pause_ms } = await forkTree(id, { count: 1 });
    expect({ memory, pause_ms }).toEqual({ memory: false, pause_ms: 0 });
    const [child] = children;
    if (child === undefined) throw new Error('no child');
    expect((await api.exec(child.id, 'cat /workspace/file')).stdout).toBe('saved');
    expect((await api.get(id)).status).toBe('failed');
    await api.kill(id);
    await api.kill(child.id);
  });

  test('a sandbox that is deleted while it is forked leaves no children', async () => {
    const { api } = used;
    for (const delayMs of [0, 30, 150, 400]) {
      const { id } = await api.create({ isolation });
      const forking = post(id, 'fork-tree', { count: 3 });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await api.kill(id);
      const answer = await forking;
      const made = answer.status === 201 ? (await api.list()).map((each) => each.id) : [];
      if (answer.status !== 201)
        expect(['fork_failed', 'invalid_state', 'sandbox_not_found']).toContain(codeOf(answer));
      else expect(made).toHaveLength(3);
      expect((await api.list()).map((each) => each.id)).toEqual(made);
      for (const each of made) await api.kill(each);
    }
  });

  test('children that are deleted while they are made are gone, the others stay', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    const forking = post(id, 'fork-tree', { count: 3, memory: false });
    const child = await waitFor(
      async () => (await api.list('?status=creating')).find((each) => each.parent_id === id),
      { what: 'a child that is being made', intervalMs: 1 },
    );
    await api.kill(child.id);
    const answer = await forking;
    const { children, errors = [] } = forkTreeResultSchema.parse(json(answer, 201));
    expect(children.length + errors.length).toBe(3);
    const alive = (await api.list()).map((each) => each.id);
    expect(alive).not.toContain(child.id);
    for (const each of alive) await api.kill(each);
  });

  test('an upload to the parent that is not finished stays with the parent alone', async () => {
    const { api } = used;
    const name = `unfinished-${isolation}`;
    const { id } = await api.create({ isolation, volumes: [{ name }] });
    const tus = new RawTus(api, id);
    const begin = async (path: string): Promise<string> => {
      const location = await tus.begin(10, { path });
      expect((await tus.patch(location, 0, 'first')).status).toBe(204);
      return location;
    };
    const places = [
      { path: '/workspace/file', location: await begin('/workspace/file') },
      { path: `/mnt/${name}/file`, location: await begin(`/mnt/${name}/file`) },
    ];
    const { children } = await forkTree(id, { count: 2, memory: false });
    for (const child of children) expect(await api.names(child.id, '/workspace')).toEqual([]);
    expect((await temporaryFiles(used, id)).length).toBeGreaterThan(0);
    for (const { path, location } of places) {
      expect((await tus.patch(location, 5, 'later')).status).toBe(204);
      expect((await api.read(id, path)).toString()).toBe('firstlater');
    }
    for (const child of children) {
      faultOf(await api.open(child.id, '/workspace/file'), 'file_not_found');
      await api.kill(child.id);
    }
    await api.kill(id);
  });
});
