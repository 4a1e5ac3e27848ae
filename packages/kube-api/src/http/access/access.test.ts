import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../objects/kube-object.ts';
import { ToyApi } from '../../testing/toy-api.ts';
import { WatchClient } from '../../testing/watch-client.ts';

const bound = { Authorization: 'Bearer bound' };
let toy: ToyApi;

beforeAll(async () => {
  toy = await ToyApi.start({
    callers: {
      bound: { name: 'key:0a1b', groups: ['keys'], namespaces: new Set(['mine', 'too']) },
    },
  });
  for (const namespace of ['mine', 'other', 'shared']) toy.store.create(widgets, widget(namespace));
  for (const namespace of ['mine', 'other', 'shared']) toy.store.create('pods', pod(namespace));
});
afterAll(() => toy[Symbol.asyncDispose]());

const widgets = 'widgets.example.org';
const widget = (namespace: string): KubeObject => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name: 'one', namespace },
  spec: { size: 1 },
});
const pod = (namespace: string): KubeObject => ({
  ...widget(namespace),
  apiVersion: 'v1',
  kind: 'Pod',
});

const collection = (namespace: string) => `/apis/example.org/v1/namespaces/${namespace}/widgets`;
const pods = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`;
const merge = { 'Content-Type': 'application/merge-patch+json' };

/** Every verb, with what it answers when it is allowed. */
const attempts = [
  ['GET', '/one', undefined, 200],
  ['GET', '', undefined, 200],
  ['GET', '?watch=1&timeoutSeconds=1&resourceVersion=999', undefined, 200],
  ['POST', '?dryRun=All', { ...widget('x'), metadata: { name: 'two' } }, 201],
  ['PUT', '/one?dryRun=All', widget('x'), 422],
  ['PATCH', '/one?dryRun=All', {}, 200],
  ['DELETE', '/one?dryRun=All', undefined, 200],
  ['DELETE', '?dryRun=All', undefined, 200],
  ['GET', '/one/scale', undefined, 200],
  ['PATCH', '/one/status?dryRun=All', {}, 200],
] as const;

const call = (method: string, path: string, body?: unknown) =>
  toy.call(method, path, body, method === 'PATCH' ? { ...bound, ...merge } : bound);

describe('a key of some namespaces', () => {
  test.each(attempts)('may %s its own%s', async (method, rest, body, status) => {
    const { metadata, ...object } = (body ?? {}) as Partial<KubeObject>;
    const sent = metadata === undefined ? body : { ...object, metadata: { name: metadata.name } };
    expect((await call(method, collection('mine') + rest, sent)).status).toBe(status);
  });

  test.each(attempts)('may not %s those of others%s', async (method, rest, body) => {
    for (const namespace of ['other', 'shared', 'nowhere']) {
      const answer = await call(method, collection(namespace) + rest, body);
      expect(answer).toMatchObject({ status: 403, body: { kind: 'Status', reason: 'Forbidden' } });
    }
  });

  test('is told so in words that are known', async () => {
    const { body } = await call('GET', `${collection('other')}/one`);
    expect(body.message).toBe(
      'widgets.example.org "one" is forbidden: User "key:0a1b" cannot get resource "widgets" in API group "example.org" in the namespace "other"',
    );
  });

  test('lists and watches its own when it asks for all', async () => {
    const { body } = await call('GET', '/apis/example.org/v1/widgets');
    expect(body.items?.map(({ metadata }) => metadata.namespace)).toEqual(['mine']);
    using client = await WatchClient.open(`${toy.url}/apis/example.org/v1/widgets?watch=1`, bound);
    await client.until(1);
    toy.store.create(widgets, widget('hidden'));
    toy.store.create(widgets, widget('too'));
    await client.until(2);
    toy.store.remove(widgets, 'hidden', 'one');
    toy.store.remove(widgets, 'too', 'one');
    await client.until(3);
    expect(client.types).toBe('ADDED one, ADDED one, DELETED one');
    expect(client.events.map(({ object }) => Reflect.get(object.metadata, 'namespace'))).toEqual([
      'mine',
      'too',
      'too',
    ]);
  });

  test('does not see others in the history of a watch', async () => {
    const start = toy.store.revision;
    toy.store.create(widgets, widget('hidden'));
    toy.store.remove(widgets, 'hidden', 'one');
    toy.store.create(widgets, widget('too'));
    const path = `/apis/example.org/v1/widgets?watch=1&resourceVersion=${start}`;
    using client = await WatchClient.open(toy.url + path, bound);
    await client.until(1);
    expect(client.events[0]?.object.metadata).toMatchObject({ namespace: 'too' });
    toy.store.remove(widgets, 'too', 'one');
    const exact = `/apis/example.org/v1/widgets?resourceVersionMatch=Exact&resourceVersion=${start + 1}`;
    const { body } = await call('GET', exact);
    expect(body.items?.map(({ metadata }) => metadata.namespace)).toEqual(['mine']);
  });

  test('reads in the shared namespace what is for all, and nothing else', async () => {
    const { body } = await call('GET', pods('shared'));
    expect(body.items?.map(({ metadata }) => metadata.name)).toEqual(['router']);
    expect((await call('GET', `${pods('shared')}/router`)).status).toBe(200);
    expect((await call('GET', `${pods('shared')}/one`)).status).toBe(404);
    expect((await call('GET', '/api/v1/namespaces/shared/services/router')).status).toBe(200);
    expect((await call('DELETE', `${pods('shared')}/router`)).status).toBe(403);
    using client = await WatchClient.open(`${toy.url}${pods('shared')}?watch=1`, bound);
    await client.until(1);
    toy.store.create('pods', { ...pod('shared'), metadata: { name: 'new', namespace: 'shared' } });
    using own = await WatchClient.open(`${toy.url}${pods('mine')}?watch=1`, bound);
    await own.until(2);
    expect(client.types).toBe('ADDED router');
  });

  test.each([
    ['mine', 'one', 'portforward', 400],
    ['mine', 'one', 'exec', 400],
    ['mine', 'none', 'exec', 404],
    ['shared', 'router', 'portforward', 400],
    ['shared', 'one', 'portforward', 404],
    ['shared', 'router', 'exec', 403],
    ['other', 'one', 'portforward', 403],
    ['other', 'one', 'exec', 403],
    ['other', 'router', 'portforward', 403],
  ])('streams to %s/%s %s: %i', async (namespace, name, subresource, status) => {
    const path = `${pods(namespace)}/${name}/${subresource}?command=true`;
    for (const method of ['GET', 'POST']) expect((await call(method, path)).status).toBe(status);
    const upgrade = await fetch(toy.url + path, {
      headers: { ...bound, Upgrade: 'SPDY/3.1', Connection: 'Upgrade' },
    }).catch(() => undefined);
    if (status > 400) expect([status, undefined]).toContain(upgrade?.status);
  });

  test('has its own namespaces, made or not, and no others', async () => {
    const { body } = await call('GET', '/api/v1/namespaces');
    expect(body.items?.map(({ metadata }) => metadata.name)).toEqual(['mine', 'too']);
    expect((await call('GET', '/api/v1/namespaces/mine')).status).toBe(200);
    expect((await call('GET', '/api/v1/namespaces/other')).status).toBe(403);
    const namespace = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    });
    expect((await call('POST', '/api/v1/namespaces', namespace('other'))).status).toBe(403);
    const generated = { ...namespace(''), metadata: { generateName: 'x-' } };
    expect((await call('POST', '/api/v1/namespaces', generated)).status).toBe(403);
    expect((await call('POST', '/api/v1/namespaces', namespace('mine'))).status).toBe(201);
    const listed = await call('GET', '/api/v1/namespaces');
    expect(listed.body.items).toHaveLength(2);
    expect((await call('DELETE', '/api/v1/namespaces/mine')).status).toBe(200);
    expect((await call('DELETE', '/api/v1/namespaces/other')).status).toBe(403);
    expect((await call('DELETE', '/api/v1/namespaces')).status).toBe(403);
  });

  test('cannot reach others by what a body says', async () => {
    const path = collection('mine');
    const present = (await call('GET', `${path}/one`)).body;
    const elsewhere = { ...widget('other'), metadata: { name: 'one', namespace: 'other' } };
    const moved = { ...present, metadata: { ...present.metadata, namespace: 'other' } };
    const renamed = { ...present, metadata: { ...present.metadata, name: 'two' } };
    const json = { 'Content-Type': 'application/json-patch+json' };
    const apply = { 'Content-Type': 'application/apply-patch+yaml' };
    const move = [{ op: 'replace', path: '/metadata/namespace', value: 'other' }];
    const tries = [
      toy.call('POST', path, elsewhere, bound),
      toy.call('PUT', `${path}/one`, moved, bound),
      toy.call('PUT', `${path}/one/status`, moved, bound),
      toy.call('PUT', `${path}/one`, renamed, bound),
      toy.call(
        'PATCH',
        `${path}/one`,
        { metadata: { namespace: 'other' } },
        { ...bound, ...merge },
      ),
      toy.call('PATCH', `${path}/one/status`, { metadata: { name: 'x' } }, { ...bound, ...merge }),
      toy.call('PATCH', `${path}/one`, move, { ...bound, ...json }),
      toy.call('PATCH', `${path}/one?fieldManager=x`, elsewhere, { ...bound, ...apply }),
      toy.call('PATCH', `${path}/new?fieldManager=x`, elsewhere, { ...bound, ...apply }),
    ];
    const { resourceVersion } = toy.store.get(widgets, 'other', 'one')?.metadata ?? {};
    for (const answer of await Promise.all(tries)) {
      expect(answer).toMatchObject({ body: { kind: 'Status', status: 'Failure' } });
      expect([400, 409, 422]).toContain(answer.status);
    }
    expect(toy.store.get(widgets, 'other', 'one')?.metadata.resourceVersion).toBe(resourceVersion);
    expect(toy.store.list(widgets, 'other')).toHaveLength(1);
    expect(toy.store.list(widgets, 'mine')).toHaveLength(1);
  });

  test('is told the same by reviews', async () => {
    const can = async (verb: string, namespace?: string, more: object = {}) => {
      const resourceAttributes = {
        group: 'example.org',
        resource: 'widgets',
        verb,
        namespace,
        ...more,
      };
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const { body } = await call('POST', path, { spec: { resourceAttributes } });
      return (body.status as { allowed: boolean }).allowed;
    };
    expect(await can('create', 'mine')).toBe(true);
    expect(await can('create', 'other')).toBe(false);
    expect(await can('list')).toBe(true);
    expect(await can('delete')).toBe(false);
    expect(await can('*', 'mine', { resource: '*', group: '*' })).toBe(true);
    expect(await can('*', 'other', { resource: '*', group: '*' })).toBe(false);
    const portForward = { group: '', resource: 'pods', subresource: 'portforward' };
    expect(await can('create', 'shared', portForward)).toBe(true);
    expect(await can('create', 'other', portForward)).toBe(false);
    const rules = await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      spec: { namespace: 'other' },
    });
    expect(JSON.stringify(rules.body.status)).not.toContain('widgets');
  });
});

test('who is not known is told so, everywhere but for health and version', async () => {
  const headers = { Authorization: 'Bearer wrong' };
  for (const path of [
    '/api',
    '/apis',
    '/openapi/v2',
    collection('mine'),
    pods('mine'),
    '/nothing',
  ]) {
    const answer = await toy.call('GET', path, undefined, headers);
    expect(answer).toMatchObject({ status: 401, body: { kind: 'Status', reason: 'Unauthorized' } });
  }
});
