import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ToyApi, type ToyBody } from '../testing/toy-api.ts';

const key = 'widgets.example.org';
const collection = '/apis/example.org/v1/namespaces/default/widgets';

let toy: ToyApi;
beforeAll(async () => {
  toy = await ToyApi.start();
});
afterAll(() => toy[Symbol.asyncDispose]());
beforeEach(() => {
  for (const { metadata } of toy.store.list(key)) {
    toy.store.remove(key, metadata.namespace ?? '', metadata.name);
  }
});

const widget = (name: string, spec: Record<string, unknown> = { size: 1 }) => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
});

const create = async (name: string, spec?: Record<string, unknown>): Promise<ToyBody> => {
  const { status, body } = await toy.call('POST', collection, widget(name, spec));
  expect(status).toBe(201);
  return body;
};

describe('objects', () => {
  test('are made, got, changed and removed', async () => {
    const made = await create('one');
    expect(made).toMatchObject({
      kind: 'Widget',
      metadata: { name: 'one', namespace: 'default', generation: 1 },
      spec: { size: 1, policy: 'Keep' },
    });
    expect((await toy.call('GET', `${collection}/one`)).body).toEqual(made);
    const larger = { ...made, spec: { size: 2 }, status: { ready: true } };
    const put = await toy.call('PUT', `${collection}/one`, larger);
    expect(put).toMatchObject({ status: 200, body: { spec: { size: 2 } } });
    expect(put.body.status).toBeUndefined();
    expect(await toy.call('PUT', `${collection}/one`, larger)).toMatchObject({
      status: 409,
      body: { kind: 'Status', reason: 'Conflict', details: { name: 'one', kind: 'widgets' } },
    });
    const gone = await toy.call('DELETE', `${collection}/one`);
    expect(gone).toMatchObject({ status: 200, body: { kind: 'Status', status: 'Success' } });
    expect(await toy.call('GET', `${collection}/one`)).toMatchObject({
      status: 404,
      body: { reason: 'NotFound', message: 'widgets.example.org "one" not found' },
    });
    expect((await toy.call('DELETE', `${collection}/one`)).status).toBe(404);
  });

  test('are not made by PUT, and not changed without the version they had', async () => {
    expect((await toy.call('PUT', `${collection}/none`, widget('none'))).status).toBe(404);
    await create('one');
    const { status, body } = await toy.call('PUT', `${collection}/one`, widget('one'));
    expect([status, body.message]).toEqual([422, expect.stringContaining('resourceVersion')]);
  });

  test('have a status that is written apart', async () => {
    const made = await create('one');
    const wanted = { ...made, spec: { size: 9 }, status: { ready: true } };
    const { status, body } = await toy.call('PUT', `${collection}/one/status`, wanted);
    expect([status, body.spec]).toEqual([200, made.spec]);
    expect(body.status).toEqual({ ready: true });
    const patch = { spec: { size: 3 }, status: { ready: false } };
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const main = await toy.call('PATCH', `${collection}/one`, patch, headers);
    expect(main.body).toMatchObject({ spec: { size: 3 }, status: { ready: true } });
    const apart = await toy.call('PATCH', `${collection}/one/status`, patch, headers);
    expect(apart.body).toMatchObject({ spec: { size: 3 }, status: { ready: false } });
  });

  test('have a scale', async () => {
    await create('one', { size: 2 });
    const scale = await toy.call('GET', `${collection}/one/scale`);
    expect(scale.body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 2 },
    });
    const put = await toy.call('PUT', `${collection}/one/scale`, {
      ...scale.body,
      spec: { replicas: 4 },
    });
    expect(put).toMatchObject({ status: 200, body: { spec: { replicas: 4 } } });
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const patched = await toy.call(
      'PATCH',
      `${collection}/one/scale`,
      { spec: { replicas: 6 } },
      headers,
    );
    expect(patched.body.spec).toEqual({ replicas: 6 });
    expect((await toy.call('GET', `${collection}/one`)).body.spec).toMatchObject({ size: 6 });
    const bad = await toy.call('PUT', `${collection}/one/scale`, {
      ...scale.body,
      spec: { replicas: -1 },
    });
    expect(bad.status).toBe(422);
    expect((await toy.call('GET', '/api/v1/namespaces/default/pods/x/scale')).status).toBe(404);
  });

  test('get names, are only tried out, and are read from YAML', async () => {
    const generated = await toy.call('POST', collection, {
      ...widget(''),
      metadata: { generateName: 'w-' },
    });
    expect(generated.body.metadata?.name).toMatch(/^w-[a-z0-9]{5}$/);
    const dry = await toy.call('POST', `${collection}?dryRun=All`, widget('dry'));
    expect(dry.status).toBe(201);
    expect((await toy.call('GET', `${collection}/dry`)).status).toBe(404);
    const yaml =
      'apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: yaml}\nspec: {size: 3}\n';
    const made = await toy.call('POST', collection, yaml, { 'Content-Type': 'application/yaml' });
    expect(made).toMatchObject({ status: 201, body: { spec: { size: 3 } } });
    expect((await toy.call('DELETE', `${collection}/yaml?dryRun=All`)).status).toBe(200);
    expect((await toy.call('GET', `${collection}/yaml`)).status).toBe(200);
  });

  test('are applied', async () => {
    const headers = { 'Content-Type': 'application/apply-patch+yaml' };
    const path = `${collection}/one?fieldManager=me`;
    const made = await toy.call('PATCH', path, widget('one', { size: 4 }), headers);
    expect(made).toMatchObject({ status: 201, body: { metadata: { name: 'one' } } });
    const again = await toy.call('PATCH', path, widget('one', { size: 4 }), headers);
    expect(again).toMatchObject({ status: 200, body: made.body });
    expect((await toy.call('PATCH', `${collection}/one`, widget('one'), headers)).status).toBe(400);
  });

  test('keep unknown fields out, and say so', async () => {
    const odd = widget('odd', { size: 1, odd: true });
    const strict = await toy.call('POST', `${collection}?fieldValidation=Strict`, odd);
    expect([strict.status, strict.body.message]).toEqual([
      400,
      expect.stringContaining('spec.odd'),
    ]);
    const warned = await toy.call('POST', collection, odd);
    expect(warned.status).toBe(201);
    expect(warned.headers.get('Warning')).toMatch(/^299 - ".*spec\.odd.*"$/);
    expect(warned.body.spec).not.toHaveProperty('odd');
  });

  test('are removed under conditions, and stay while they have finalizers', async () => {
    const made = await create('one');
    const wrong = await toy.call('DELETE', `${collection}/one`, { preconditions: { uid: 'x' } });
    expect(wrong.status).toBe(409);
    const metadata = { ...made.metadata, finalizers: ['example.org/hold'] };
    await toy.call('PUT', `${collection}/one`, { ...made, metadata });
    const left = await toy.call('DELETE', `${collection}/one`);
    expect(left.body).toMatchObject({
      kind: 'Widget',
      metadata: { finalizers: ['example.org/hold'] },
    });
    for (const body of [{ propagationPolicy: 'x' }, { preconditions: 1 }, { kind: 'Pod' }, []]) {
      expect((await toy.call('DELETE', `${collection}/one`, body)).status).toBe(400);
    }
    toy.store.update(key, {
      ...toy.store.list(key)[0]!,
      metadata: { name: 'one', namespace: 'default' },
    });
    expect(toy.store.count(key)).toBe(0);
  });

  test('are removed together', async () => {
    for (const name of ['one', 'two', 'three']) await create(name);
    await toy.call('DELETE', `${collection}?fieldSelector=metadata.name!%3Dtwo`);
    const { body } = await toy.call('GET', collection);
    expect(body.items?.map(({ metadata }) => metadata.name)).toEqual(['two']);
    expect((await toy.call('DELETE', '/apis/example.org/v1/widgets')).status).toBe(405);
  });
});

describe('objects that nobody made', () => {
  const merge = { 'Content-Type': 'application/merge-patch+json' };
  const path = '/api/v1/namespaces/default';

  test('are there, are changed and removed as others, and are there again', async () => {
    expect((await toy.call('GET', path)).status).toBe(200);
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };
    expect((await toy.call('POST', '/api/v1/namespaces', body)).status).toBe(409);
    const patch = { metadata: { labels: { color: 'red' } } };
    const patched = await toy.call('PATCH', path, patch, merge);
    expect(patched).toMatchObject({
      status: 200,
      body: { metadata: { labels: { color: 'red' } } },
    });
    expect((await toy.call('GET', path)).body).toEqual(patched.body);
    expect((await toy.call('GET', '/api/v1/namespaces')).body.items).toHaveLength(1);
    expect((await toy.call('DELETE', path)).status).toBe(200);
    expect((await toy.call('GET', path)).body.metadata).not.toHaveProperty('labels');
  });

  test('of derived resources stay as they are', async () => {
    const pod = '/api/v1/namespaces/default/pods/router';
    expect((await toy.call('PATCH', pod, { metadata: { labels: {} } }, merge)).status).toBe(404);
    expect((await toy.call('DELETE', pod)).status).toBe(404);
  });
});

describe('lists', () => {
  test('come in pages of one moment', async () => {
    for (let index = 0; index < 25; index += 1) await create(`w${String(index).padStart(2, '0')}`);
    const first = await toy.call('GET', `${collection}?limit=10`);
    expect(first.body.metadata?.remainingItemCount).toBe(15);
    toy.store.remove(key, 'default', 'w12');
    await create('w115');
    await create('w99');
    const names = [...(first.body.items ?? [])];
    let token = first.body.metadata?.continue;
    while (token !== undefined) {
      const { body } = await toy.call('GET', `${collection}?limit=10&continue=${token}`);
      expect(body.metadata?.resourceVersion).toBe(first.body.metadata?.resourceVersion);
      names.push(...(body.items ?? []));
      token = body.metadata?.continue;
    }
    expect(names.map(({ metadata }) => metadata.name)).toEqual(
      Array.from({ length: 25 }, (_, index) => `w${String(index).padStart(2, '0')}`),
    );
    const { resourceVersion } = first.body.metadata ?? {};
    const exact = `${collection}?resourceVersionMatch=Exact&resourceVersion=${resourceVersion}`;
    expect((await toy.call('GET', exact)).body.items).toHaveLength(25);
    expect((await toy.call('GET', collection)).body.items).toHaveLength(26);
  });

  test.each([
    ['limit=x', 400],
    ['continue=AAAA', 400],
    [`continue=${Buffer.from('[0,"a","b"]').toString('base64url')}`, 410],
    ['resourceVersion=99999999', 504],
    ['resourceVersion=-1', 400],
    ['resourceVersionMatch=Exact', 400],
    ['labelSelector=a%20b', 400],
    ['fieldSelector=x', 400],
  ])('%s: %i', async (query, status) => {
    const answer = await toy.call('GET', `${collection}?${query}`);
    expect(answer).toMatchObject({ status, body: { kind: 'Status', code: status } });
  });

  test('are packed when they are long', async () => {
    for (let index = 0; index < 300; index += 1) {
      const data = { text: 'x'.repeat(1000) };
      toy.store.create(key, {
        ...widget(`w${index}`),
        metadata: { name: `w${index}`, namespace: 'default' },
        spec: { size: 1, data },
      });
    }
    const response = await fetch(toy.url + collection, { headers: { 'Accept-Encoding': 'gzip' } });
    expect(response.headers.get('Content-Encoding')).toBe('gzip');
    expect(((await response.json()) as ToyBody).items).toHaveLength(300);
    const plain = await fetch(toy.url + collection, { headers: { 'Accept-Encoding': 'identity' } });
    expect(plain.headers.get('Content-Encoding')).toBeNull();
    expect(((await plain.json()) as ToyBody).items).toHaveLength(300);
  });

  test('are given as rows and as metadata', async () => {
    await create('one');
    const rows = await toy.call('GET', collection, undefined, {
      Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
    });
    expect(rows.body).toMatchObject({
      kind: 'Table',
      rows: [{ object: { kind: 'PartialObjectMetadata' } }],
    });
    const metadata = await toy.call('GET', collection, undefined, {
      Accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    });
    expect(metadata.body).toMatchObject({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
    });
    expect(metadata.body.items?.[0]).not.toHaveProperty('spec');
  });
});

describe('everything else', () => {
  test('health and versions need no token', async () => {
    for (const path of ['/healthz', '/livez', '/readyz', '/version']) {
      const response = await fetch(toy.url + path, { headers: { Authorization: 'Bearer no' } });
      expect(response.status).toBe(200);
    }
    expect((await toy.call('GET', '/version')).body).toMatchObject({
      gitVersion: expect.stringMatching(/^v1\.\d+\.\d+\+sandport/),
    });
  });

  test.each([
    ['GET', '/', 404],
    ['GET', '/apis/example.org/v2/widgets', 404],
    ['GET', '/apis/example.org/v1/namespaces/default/widgets/one/logs', 404],
    ['GET', '/apis/example.org/v1/widgets/one', 404],
    ['GET', '/apis/example.org/v1/namespaces/%2e%2e%2f/widgets/%ff', 404],
    ['GET', '/api/v1/namespaces/default/pods/router/portforward', 400],
    ['POST', '/api/v1/namespaces/default/pods/none/exec', 404],
    ['POST', `${collection}/one`, 405],
    ['POST', '/apis/example.org/v1/widgets', 405],
    ['PUT', collection, 405],
    ['OPTIONS', collection, 405],
  ])('%s %s: %i', async (method, path, status) => {
    const answer = await toy.call(method, path);
    expect(answer).toMatchObject({
      status,
      body: { kind: 'Status', status: 'Failure', code: status },
    });
  });

  test.each([
    ['application/vnd.kubernetes.protobuf,application/json', 200],
    ['*/*', 200],
    ['application/vnd.kubernetes.protobuf', 406],
    ['text/html', 406],
    ['application/json;q=0', 406],
  ])('Accept: %s: %i', async (Accept, status) => {
    expect((await toy.call('GET', collection, undefined, { Accept })).status).toBe(status);
  });

  test.each([
    ['application/vnd.kubernetes.protobuf', 'k8s\0', 415],
    ['application/cbor', 'x', 415],
    ['application/json', '{', 400],
    ['application/json', '', 400],
    ['application/json', '[]', 400],
    ['application/json', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 400],
    ['application/json', '{"__proto__":{}}', 400],
    ['application/json', '['.repeat(200_000), 400],
    ['application/yaml', 'a: &a [*a]', 400],
    ['application/yaml', `a: ${'['.repeat(50_000)}`, 400],
    ['application/yaml', ' '.repeat(300_000) + 'x', 413],
  ])('a body of %s: %s', async (type, body, status) => {
    const answer = await toy.call('POST', collection, body, { 'Content-Type': type });
    expect([answer.status, answer.body.kind]).toEqual([status, 'Status']);
  });

  test('a body that is too large is refused', async () => {
    const answer = await toy
      .call('POST', collection, `"${'x'.repeat(4 << 20)}"`)
      .catch(() => undefined);
    // The server does not read it to the end; the client may notice that first.
    expect([413, undefined]).toContain(answer?.status);
  });

  test('reviews say who asks and what he may do', async () => {
    const can = async (attributes: Record<string, string>) => {
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const { body } = await toy.call('POST', path, { spec: { resourceAttributes: attributes } });
      return (body.status as { allowed: boolean }).allowed;
    };
    expect(await can({ group: 'example.org', resource: 'widgets', verb: 'create' })).toBe(true);
    expect(await can({ group: 'apps', resource: 'deployments', verb: 'create' })).toBe(false);
    const who = await toy.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {});
    expect(who.body.status).toMatchObject({ userInfo: { username: 'admin' } });
  });

  test('nothing of this was a fault of the server', () => {
    expect(toy.faults).toEqual([]);
  });
});
