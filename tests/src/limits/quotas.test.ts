import { quotaSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { type Api, codeOf, faultOf, json, useDaemon, waitFor } from '../harness/index.ts';

const used = useDaemon();

let made = 0;
/** A namespace of its own for each test, with a key for it. */
const newNamespace = async () => {
  const namespace = `quota-${++made}`;
  const { api } = await used.api.newKey({ namespaces: [namespace] });
  const path = `/v1/namespaces/${namespace}/quota`;
  return {
    namespace,
    api,
    set: async (quota: object) =>
      quotaSchema.parse(json(await used.api.sendJson('PUT', path, quota), 200)),
    get: async (by: Api = api) => quotaSchema.parse(json(await by.send('GET', path), 200)),
    create: (fields: object = {}) =>
      api.sendJson(
        'POST',
        '/v1/sandboxes',
        { namespace, memory_mb: 64, ...fields },
        { timeoutMs: 120_000 },
      ),
  };
};
const idOf = (answer: Awaited<ReturnType<Api['send']>>): string => {
  const { id } = json(answer, 201) as { id: string };
  return id;
};

test('of many creates at once no more come about than the quota allows', async () => {
  const { namespace, set, get, create } = await newNamespace();
  await set({ max_sandboxes: 4, max_memory_mb: 1024 });
  const answers = await Promise.all(Array.from({ length: 50 }, () => create()));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
  const refused = answers.filter(({ status }) => status !== 201);
  for (const answer of refused)
    expect(faultOf(answer, 'limit_reached')).toMatchObject({
      namespace,
      resource: 'sandboxes',
      limit: 4,
    });
  expect(await get()).toMatchObject({ sandboxes: 4, memory_mb: 256, disk_mb: 0 });
});

test('forks and waking need room as well', async () => {
  const { api, set, get, create } = await newNamespace();
  await set({ max_sandboxes: 3, max_memory_mb: 200 });
  const parent = idOf(await create());
  const fork = await api.sendJson(
    'POST',
    `/v1/sandboxes/${parent}/fork-tree`,
    { count: 5 },
    { timeoutMs: 120_000 },
  );
  const { children, errors } = json(fork, 201) as { children: { id: string }[]; errors: object[] };
  expect(children).toHaveLength(2);
  expect(errors).toHaveLength(3);
  expect(errors[0]).toMatchObject({ code: 'limit_reached' });
  expect(await get()).toMatchObject({ sandboxes: 3, memory_mb: 192 });

  const [child] = children;
  if (child === undefined) throw new Error('no child');
  json(await api.send('POST', `/v1/sandboxes/${child.id}/hibernate`), 200);
  expect(await get()).toMatchObject({ sandboxes: 3, memory_mb: 128 });
  await set({ max_memory_mb: 150 });
  const run = () =>
    api.sendJson('POST', `/v1/sandboxes/${child.id}/exec`, { args: ['true'] }, slow);
  expect(faultOf(await run(), 'limit_reached')).toMatchObject({ resource: 'memory', limit: 150 });
  await api.kill(parent);
  await waitFor(async () => (await get()).memory_mb === 64);
  json(await run(), 200);
});

const slow = { timeoutMs: 60_000 };

test('disks and volumes share the disk of a namespace', async () => {
  const { namespace, api, set, get, create } = await newNamespace();
  await set({ max_disk_mb: 100 });
  expect(faultOf(await create(), 'invalid_request').error).toMatch(/disk_mb/);
  const id = idOf(await create({ resources: { disk_mb: 40 } }));
  const volume = (fields: object) =>
    api.sendJson('POST', '/v1/volumes', { namespace, name: 'data', ...fields });
  expect(faultOf(await volume({}), 'invalid_request').error).toMatch(/size_mb/);
  faultOf(await volume({ size_mb: 61 }), 'limit_reached');
  json(await volume({ size_mb: 40 }), 201);
  const grow = (diskMb: number) =>
    api.sendJson('PATCH', `/v1/sandboxes/${id}`, { resources: { disk_mb: diskMb } });
  expect(faultOf(await grow(64), 'limit_reached')).toMatchObject({ resource: 'disk', limit: 100 });
  const grown = await grow(60);
  // A disk image grows only where the daemon may resize a file system in use.
  if (codeOf(grown) !== 'ok')
    expect(faultOf(grown, 'invalid_request').error).toMatch(/CAP_SYS_RESOURCE/);
  const diskMb = codeOf(grown) === 'ok' ? 100 : 80;
  expect(await get()).toMatchObject({ disk_mb: diskMb, max_disk_mb: 100 });
  await api.kill(id);
  expect((await api.send('DELETE', `/v1/volumes/data?namespace=${namespace}`)).status).toBe(204);
  expect(await get()).toMatchObject({ disk_mb: 0 });
});

test('a quota is for administrators to set, and stays through a restart', async () => {
  const { namespace, api, set, get } = await newNamespace();
  const path = `/v1/namespaces/${namespace}/quota`;
  await set({ max_sandboxes: 2 });
  faultOf(await api.sendJson('PUT', path, {}), 'forbidden');
  faultOf(await api.send('GET', '/v1/namespaces/other/quota'), 'forbidden');
  for (const bad of [{ max_sandboxes: -1 }, { max_memory_mb: 0.5 }, { max_cpu: 1 }, [], 'x'])
    faultOf(await used.api.sendJson('PUT', path, bad), 'invalid_request');
  faultOf(await used.api.sendJson('PUT', '/v1/namespaces/A%2F..%2Fb/quota', {}), 'invalid_request');
  await used.daemon.restart();
  expect(await get(used.api)).toMatchObject({ namespace, max_sandboxes: 2, sandboxes: 0 });
  const all = json(await used.api.send('GET', '/v1/namespaces'), 200) as { namespace: string }[];
  expect(all.map((each) => each.namespace)).toContain(namespace);
});

test('more volumes than the quota, asked for at once', async () => {
  const { namespace, api, set, get } = await newNamespace();
  await set({ max_disk_mb: 64 });
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      api.sendJson('POST', '/v1/volumes', { namespace, name: `v${index}`, size_mb: 16 }, slow),
    ),
  );
  expect(answers.filter((answer) => codeOf(answer) === 'ok')).toHaveLength(4);
  expect((await get()).disk_mb).toBe(64);
});
