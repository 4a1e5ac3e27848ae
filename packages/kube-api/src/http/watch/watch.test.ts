import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../objects/kube-object.ts';
import { ToyApi } from '../../testing/toy-api.ts';
import { WatchClient } from '../../testing/watch-client.ts';

const key = 'widgets.example.org';
const collection = '/apis/example.org/v1/namespaces/default/widgets';

let toy: ToyApi;
beforeAll(async () => {
  toy = await ToyApi.start({ historySize: 1000 });
});
afterAll(() => toy[Symbol.asyncDispose]());
beforeEach(() => {
  for (const { metadata } of toy.store.list(key)) {
    toy.store.remove(key, metadata.namespace ?? '', metadata.name);
  }
});

const add = (name: string, labels: Record<string, string> = {}, namespace = 'default') =>
  toy.store.create(key, {
    apiVersion: 'example.org/v1',
    kind: 'Widget',
    metadata: { name, namespace, labels },
    spec: { size: 1 },
  });

const grow = (object: KubeObject, size: number) =>
  toy.store.update(key, { ...object, spec: { size } });

const watch = (query: string, headers: Record<string, string> = {}, path = collection) =>
  WatchClient.open(`${toy.url}${path}?watch=True&${query}`, headers);

const revisions = ({ events }: WatchClient) =>
  events.map(({ object }) => Number(object.metadata.resourceVersion));

describe('a watch', () => {
  test.each(['', 'resourceVersion=0'])('begins with what there is (%s)', async (query) => {
    const one = add('one');
    add('other', {}, 'elsewhere');
    using client = await watch(query);
    await client.until(1);
    grow(one, 2);
    toy.store.remove(key, 'default', 'one');
    await client.until(3);
    expect(client.types).toBe('ADDED one, MODIFIED one, DELETED one');
    expect(client.events[1]?.object.spec).toEqual({ size: 2 });
    expect(revisions(client)).toEqual(revisions(client).toSorted((left, right) => left - right));
  });

  test('goes on after a revision, with 1,000 events, each once and in order', async () => {
    const start = toy.store.revision;
    let object = add('one');
    for (let size = 2; size <= 500; size += 1) object = grow(object, size);
    using client = await watch(`resourceVersion=${start}`);
    for (let size = 501; size <= 1000; size += 1) object = grow(object, size);
    await client.until(1000);
    expect(revisions(client)).toEqual(
      Array.from({ length: 1000 }, (_, index) => start + 1 + index),
    );

    const half = start + 500;
    using again = await watch(`resourceVersion=${half}`);
    await again.until(500);
    expect(revisions(again)[0]).toBe(half + 1);
  });

  test('of a revision that is forgotten, or was never given, is 410', async () => {
    let object = add('one');
    for (let size = 2; size <= 1100; size += 1) object = grow(object, size);
    for (const revision of [2, toy.store.revision + 5]) {
      using client = await watch(`resourceVersion=${revision}`);
      await client.ended;
      expect(client.events).toHaveLength(1);
      expect(client.events[0]).toMatchObject({
        type: 'ERROR',
        object: { code: 410, reason: 'Expired' },
      });
    }
  });

  test('ends cleanly when its time is over', async () => {
    const startedAt = performance.now();
    using client = await watch('timeoutSeconds=1&allowWatchBookmarks=true');
    await client.ended;
    expect(client.response.complete).toBe(true);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(client.events.map(({ type }) => type)).toEqual(['BOOKMARK']);
    expect(revisions(client)).toEqual([toy.store.revision]);
  });

  test('marks the end of what there was', async () => {
    add('one');
    using client = await watch(
      'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan',
    );
    await client.until(2);
    add('two');
    await client.until(3);
    expect(client.events.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK', 'ADDED']);
    const { metadata, kind, apiVersion } = client.events[1]?.object ?? {};
    expect(apiVersion).toBe('example.org/v1');
    expect(metadata?.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect(kind).toBe('Widget');
  });

  test('sees objects enter and leave a selection', async () => {
    const red = add('red', { color: 'red' });
    const blue = add('blue', { color: 'blue' });
    using client = await watch('labelSelector=color%3Dred');
    await client.until(1);
    const paint = (object: KubeObject, color: string) =>
      toy.store.update(key, { ...object, metadata: { ...object.metadata, labels: { color } } });
    paint(blue, 'red');
    const blueRed = paint(red, 'blue');
    paint(blueRed, 'green');
    toy.store.remove(key, 'default', 'red');
    toy.store.remove(key, 'default', 'blue');
    await client.until(4);
    expect(client.types).toBe('ADDED red, ADDED blue, DELETED red, DELETED blue');
    const left = client.events[2]?.object.metadata;
    expect(left).toMatchObject({ labels: { color: 'red' } });
    expect(left?.resourceVersion).toBe(blueRed.metadata.resourceVersion);
  });

  test('of one name sees that one only', async () => {
    using client = await watch('fieldSelector=metadata.name%3Done');
    add('two');
    add('one');
    await client.until(1);
    expect(client.types).toBe('ADDED one');
  });

  test('gives rows, or metadata only', async () => {
    add('one');
    using rows = await watch('', { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    using metadata = await watch('', {
      Accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    });
    expect((await rows.until(1))[0]?.object).toMatchObject({ kind: 'Table' });
    const object = (await metadata.until(1))[0]?.object;
    expect(object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'one' } });
    expect(object?.spec).toBeUndefined();
  });

  test.each([
    ['resourceVersion=x', 400],
    ['timeoutSeconds=-1', 400],
    ['sendInitialEvents=true', 422],
    ['resourceVersionMatch=Exact', 422],
    ['labelSelector=%3D', 400],
    ['watch=maybe', 400],
  ])('%s: %i', async (query, status) => {
    const response = await fetch(
      `${toy.url}${collection}?${query}${query.startsWith('w') ? '' : '&watch=1'}`,
    );
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ kind: 'Status', code: status });
  });
});

describe('many watches', () => {
  test('200 of them hear everything', async () => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => watch('')));
    let object = add('one');
    for (let size = 2; size <= 100; size += 1) object = grow(object, size);
    const startedAt = performance.now();
    await Promise.all(clients.map((client) => client.until(100, 20_000)));
    for (const client of clients) {
      expect(revisions(client)).toEqual(revisions(clients[0] ?? client));
      client[Symbol.dispose]();
    }
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  test('one that is not read is sent away, and holds nobody', async () => {
    const socket = connect(Number(new URL(toy.url).port), '127.0.0.1');
    socket.write(`GET ${collection}?watch=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await once(socket, 'readable');
    socket.pause();
    using reader = await watch('');
    const closed = once(socket, 'close');
    const padding = 'x'.repeat(100_000);
    let object = add('one');
    for (let size = 2; size <= 300; size += 1) {
      object = toy.store.update(key, { ...object, spec: { size, data: { padding } } });
      if (size % 50 === 0) await reader.until(size);
    }
    await reader.until(300);
    let tail = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      tail = Buffer.concat([tail, chunk]).subarray(-2000);
    });
    socket.resume();
    await closed;
    expect(tail.toString()).toContain('"reason":"Expired"');
  }, 60_000);

  test('a client that goes away is forgotten', async () => {
    using client = await watch('');
    client[Symbol.dispose]();
    await pause(50);
    add('one');
    expect(toy.faults).toEqual([]);
  });
});

test('when the server stops its watches end', async () => {
  await using stopping = await ToyApi.start();
  using client = await WatchClient.open(`${stopping.url}${collection}?watch=1`);
  stopping.api.close();
  await client.ended;
  expect(client.response.complete).toBe(true);
});
