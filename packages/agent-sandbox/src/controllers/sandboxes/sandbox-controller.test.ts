import type { Principal } from '@sandport/engine';
import { namespaceSchema, type SandboxName } from '@sandport/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { keys } from '../../resources/keys.ts';
import { Controlled, tenant } from '../../testing/controlled.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';
import { conditionOf } from '../status/conditions.ts';

const admin: Principal = { keyId: 'k' };
let cluster: Controlled;
beforeEach(async () => {
  cluster = await Controlled.start();
});
afterEach(() => cluster[Symbol.asyncDispose]());

const idOf = (name: string) =>
  cluster.engine.sandboxes.list(admin, {}).sandboxes.find((each) => each.name === name)?.id ?? '';

test('a Sandbox has a pod, and a service when it asks for one', async () => {
  cluster.sandbox('one', { service: true });
  const { status } = await cluster.reason(keys.sandboxes, 'one');
  const address = cluster.attached.get(idOf('one'));
  expect(status).toMatchObject({
    podIPs: [address],
    nodeName: 'sandport',
    service: 'one',
    serviceFQDN: address,
    selector: expect.stringMatching(/^agents\.x-k8s\.io\/sandbox-name-hash=[0-9a-f]{8}$/),
  });
  expect(cluster.get(keys.pods, 'one').status).toMatchObject({ phase: 'Running', podIP: address });
  expect(cluster.get(keys.endpointSlices, 'one')['endpoints']).toMatchObject([
    { addresses: [address] },
  ]);
  cluster.change(keys.sandboxes, 'one', { service: false });
  await cluster.gone(keys.services, 'one');
  expect(cluster.get(keys.sandboxes, 'one').status?.['service']).toBeUndefined();
  const events = cluster.store.list(keys.events).map(({ reason }) => reason);
  expect(events).toEqual(['Pulled', 'Created', 'Started']);
});

test('a pod template maps onto what the engine knows', async () => {
  const container = {
    name: 'main',
    image: 'registry.example/x/python-runtime-sandbox:v0.1',
    env: [
      { name: 'A', value: '1' },
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ],
    resources: {
      limits: { cpu: '500m', memory: '256Mi' },
      requests: { 'ephemeral-storage': '1Gi' },
    },
    securityContext: { runAsUser: 1000 },
    workingDir: '/work',
    volumeMounts: [
      { name: 'data', mountPath: '/data', readOnly: true },
      { name: 'scratch', mountPath: '/scratch' },
    ],
  };
  cluster.sandbox('one', {
    podTemplate: {
      spec: {
        runtimeClassName: 'runc',
        containers: [container],
        volumes: [{ name: 'scratch', emptyDir: {} }],
      },
    },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
  });
  await cluster.reason(keys.sandboxes, 'one');
  expect(cluster.driver.made[0]).toMatchObject({
    template: 'base',
    isolation: 'container',
    limits: { cpu: 0.5, memoryBytes: 2 ** 28, diskBytes: 2 ** 30 },
    user: '1000',
    workdir: '/work',
    env: { A: '1', NAME: 'one' },
    volumes: [{ name: 'data-one', path: '/data', read_only: true }],
  });
  expect(cluster.driver.directories).toEqual(['/work', '/scratch']);
  expect(cluster.engine.sandboxes.get(admin, 'one').env['IP']).toMatch(/^127\./);
});

test('suspending takes the pod away and resuming brings it back', async () => {
  cluster.sandbox('one');
  await cluster.reason(keys.sandboxes, 'one');
  const id = idOf('one');
  cluster.change(keys.sandboxes, 'one', { operatingMode: 'Suspended' });
  const asleep = await cluster.reason(keys.sandboxes, 'one', 'SandboxSuspended');
  expect(conditionOf(asleep, 'Suspended')).toMatchObject({ status: 'True' });
  expect(asleep.status?.['podIPs']).toBeUndefined();
  expect(cluster.store.list(keys.pods)).toEqual([]);
  expect(cluster.attached.size).toBe(0);
  expect(cluster.engine.sandboxes.get(admin, id).status).toBe('hibernated');
  expect(cluster.directory.find(admin, 'default', 'one')).toBeUndefined();
  cluster.change(keys.sandboxes, 'one', { operatingMode: 'Running' });
  const awake = await cluster.reason(keys.sandboxes, 'one');
  expect(conditionOf(awake, 'Suspended')).toBeUndefined();
  expect(idOf('one')).toBe(id);
});

test('one that dies says so; deleting its pod makes it anew', async () => {
  cluster.sandbox('one');
  await cluster.reason(keys.sandboxes, 'one');
  const id = idOf('one');
  cluster.driver.die(id, 'out of memory');
  const dead = await cluster.reason(keys.sandboxes, 'one', 'PodFailed');
  expect(conditionOf(dead, 'Finished')).toMatchObject({ message: 'out of memory' });
  expect(cluster.get(keys.pods, 'one').status).toMatchObject({ phase: 'Failed' });
  cluster.store.remove(keys.pods, 'default', 'one');
  await cluster.reason(keys.sandboxes, 'one');
  expect(idOf('one')).not.toBe(id);
  expect(cluster.driver.removed).toEqual([id]);
});

test('one that the native API deletes is made anew', async () => {
  cluster.sandbox('one');
  await cluster.reason(keys.sandboxes, 'one');
  const id = idOf('one');
  await cluster.engine.sandboxes.remove(admin, id);
  await vi.waitFor(() => expect(cluster.driver.made).toHaveLength(2));
  await cluster.reason(keys.sandboxes, 'one');
});

test.each([
  ['Retain', 'SandboxExpired'],
  ['Delete', undefined],
])('one whose time is over ends; its object: %s', async (shutdownPolicy, reason) => {
  cluster.sandbox('one', {
    shutdownTime: new Date(Date.now() + 200).toISOString(),
    shutdownPolicy,
  });
  await cluster.reason(keys.sandboxes, 'one');
  if (reason === undefined) await cluster.gone(keys.sandboxes, 'one');
  else {
    const { status } = await cluster.reason(keys.sandboxes, 'one', reason);
    expect(Object.keys(status ?? {})).toEqual(['conditions']);
  }
  await vi.waitFor(() => expect(cluster.names()).toEqual([]));
});

describe('images of registries', () => {
  const podTemplate = {
    spec: { containers: [{ name: 'a', image: 'registry.example/team/tool:2' }] },
  };

  test('are built once for those who may build', async () => {
    cluster.sandbox('one', { podTemplate });
    cluster.sandbox('two', { podTemplate });
    await cluster.reason(keys.sandboxes, 'one');
    await cluster.reason(keys.sandboxes, 'two');
    expect(cluster.driver.built).toEqual([expect.stringMatching(/^image-tool-2-[0-9a-f]{12}$/)]);
  });

  test('are told of when they cannot be built', async () => {
    cluster.driver.buildFailure = new Error('no such image');
    cluster.sandbox('one', { podTemplate });
    await cluster.reason(keys.sandboxes, 'one', 'TemplateBuildFailed');
  });

  test('are not built for keys of one namespace, whatever they write', async () => {
    const metadata = {
      name: 'one',
      namespace: 'default',
      annotations: { 'sandport.dev/may-build': 'true' },
    };
    const object = { apiVersion: 'agents.x-k8s.io/v1beta1', kind: 'Sandbox', metadata };
    cluster.create(keys.sandboxes, { ...object, spec: { podTemplate } }, tenant);
    cluster.template('mine', { podTemplate }, tenant);
    cluster.claim('two', { warmPoolRef: { name: 'mine' } });
    for (const name of ['one', 'two'])
      await cluster.reason(keys.sandboxes, name, 'TemplateBuildFailed');
    expect(cluster.driver.built).toEqual([]);
  });
});

describe('after a restart', () => {
  const again = async (): Promise<Controlled> => {
    const { state } = cluster;
    await cluster[Symbol.asyncDispose]();
    return Controlled.start(new FakeDriver(), state);
  };

  test('sandboxes are taken over, with their addresses', async () => {
    cluster.sandbox('one', { volumeClaimTemplates: [{ metadata: { name: 'v' }, spec: {} }] });
    const before = await cluster.reason(keys.sandboxes, 'one');
    const id = idOf('one');
    cluster = await again();
    await vi.waitFor(() => expect(cluster.get(keys.pods, 'one')).toBeDefined());
    await vi.waitFor(() => expect(cluster.attached.get(id)).toEqual(expect.any(String)));
    expect(cluster.get(keys.sandboxes, 'one').status).toEqual(before.status);
    expect(cluster.get(keys.volumeClaims, 'v-one')).toBeDefined();
    expect(cluster.driver.made).toEqual([]);
  });

  test('those whose object has gone are ended, and no others', async () => {
    cluster.sandbox('one');
    await cluster.reason(keys.sandboxes, 'one');
    const id = idOf('one');
    await cluster.engine.sandboxes.create(admin, { name: 'native' as SandboxName });
    const { state } = cluster;
    await cluster[Symbol.asyncDispose]();
    state.kubeObjects.delete({ resource: keys.sandboxes, namespace: 'default', name: 'one' });
    cluster = await Controlled.start(new FakeDriver(), state);
    await vi.waitFor(() => expect(cluster.names()).toEqual(['native']));
    expect(cluster.driver.removed).toEqual([id]);
  });

  test('one that slept is woken when it is to run', async () => {
    cluster.sandbox('one', { operatingMode: 'Running' });
    await cluster.reason(keys.sandboxes, 'one');
    cluster.change(keys.sandboxes, 'one', { operatingMode: 'Suspended' });
    await cluster.reason(keys.sandboxes, 'one', 'SandboxSuspended');
    cluster = await again();
    await cluster.reason(keys.sandboxes, 'one', 'SandboxSuspended');
    expect(cluster.attached.size).toBe(0);
    cluster.change(keys.sandboxes, 'one', { operatingMode: 'Running' });
    await cluster.reason(keys.sandboxes, 'one');
    expect(cluster.engine.sandboxes.get(admin, 'one').status).toBe('running');
  });
});

describe('the directory', () => {
  test('finds sandboxes of objects and of the native API, in namespaces that one may use', async () => {
    cluster.sandbox('one');
    await cluster.reason(keys.sandboxes, 'one');
    await cluster.engine.sandboxes.create(admin, { name: 'native' as SandboxName });
    const bound = (namespace: string): Principal => ({
      keyId: 'b',
      namespaces: new Set([namespaceSchema.parse(namespace)]),
    });
    const { directory } = cluster;
    const located = directory.find(bound('default'), 'default', 'one');
    expect(located).toMatchObject({
      sandboxId: idOf('one'),
      uid: cluster.get(keys.sandboxes, 'one').metadata.uid,
      home: '/home/user',
    });
    expect(directory.byAddress(cluster.attached.get(idOf('one')) ?? '')).toBe(located);
    expect(directory.find(bound('other'), 'default', 'one')).toBeUndefined();
    expect(directory.find(admin, 'other', 'one')).toBeUndefined();
    expect(directory.find(admin, 'default', 'native')).toMatchObject({ name: 'native' });
    expect(directory.find(bound('other'), 'default', 'native')).toBeUndefined();
    expect(directory.find(admin, 'default', idOf('one'))).toBeUndefined();
    expect(directory.byAddress('127.0.0.1')).toBeUndefined();
  });
});
