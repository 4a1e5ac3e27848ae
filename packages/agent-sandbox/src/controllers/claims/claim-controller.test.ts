import { SandportFault } from '@sandport/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keys } from '../../resources/keys.ts';
import { Controlled } from '../../testing/controlled.ts';
import { conditionOf } from '../status/conditions.ts';

let cluster: Controlled;
beforeEach(async () => {
  cluster = await Controlled.start();
});
afterEach(() => cluster[Symbol.asyncDispose]());

test('a claim becomes a sandbox with its name; all of its status comes in one write', async () => {
  const changes: unknown[] = [];
  cluster.store.subscribe(({ object }) => {
    if (object.kind === 'SandboxClaim') changes.push(object.status);
  });
  cluster.claim('one');
  const claim = await cluster.reason(keys.claims, 'one');
  const sandbox = cluster.get(keys.sandboxes, 'one');
  expect(claim.status).toMatchObject({
    sandbox: { name: 'one', podIPs: sandbox.status?.['podIPs'] },
    conditions: [{ type: 'Ready', status: 'True', message: 'Pod is Ready' }],
  });
  expect(changes.filter(Boolean)).toHaveLength(1);
  expect(sandbox.metadata).toMatchObject({
    annotations: { 'agents.x-k8s.io/pod-name': 'one' },
    ownerReferences: [{ kind: 'SandboxClaim', name: 'one', uid: claim.metadata.uid }],
  });
  expect(cluster.names()).toEqual(['one']);
});

test('deleting it ends the sandbox, also while that is being made', async () => {
  cluster.claim('one');
  await cluster.reason(keys.claims, 'one');
  cluster.driver.gate = new Promise(() => {});
  cluster.claim('two');
  await vi.waitFor(() => expect(cluster.driver.underWay).toBe(1));
  for (const name of ['one', 'two']) cluster.store.remove(keys.claims, 'default', name);
  await vi.waitFor(() => expect(cluster.names()).toEqual([]));
  expect(cluster.store.list(keys.sandboxes)).toEqual([]);
  expect(cluster.store.list(keys.pods)).toEqual([]);
  expect(cluster.attached.size).toBe(0);
});

test('one of the same name gets another sandbox', async () => {
  cluster.claim('one');
  await cluster.reason(keys.claims, 'one');
  const [before] = cluster.driver.made;
  cluster.store.remove(keys.claims, 'default', 'one');
  cluster.claim('one');
  await cluster.reason(keys.claims, 'one');
  expect(cluster.driver.removed).toEqual([before?.id]);
  expect(cluster.names()).toEqual(['one']);
});

test.each([
  ['shadow-pool-nope', 'TemplateNotFound'],
  ['nope', 'WarmPoolNotFound'],
])('a claim of %s says %s, and gets its sandbox when there is a template', async (pool, reason) => {
  cluster.claim('one', { warmPoolRef: { name: pool } });
  await cluster.reason(keys.claims, 'one', reason);
  expect(cluster.store.list(keys.events)[0]).toMatchObject({ reason, type: 'Warning' });
  cluster.template('nope');
  await cluster.reason(keys.claims, 'one');
});

test.each([
  [{ additionalPodMetadata: { labels: { mine: 'x' } } }, 'InvalidMetadata'],
  [{ additionalPodMetadata: { labels: { 'other.io/x': 'x' } } }, 'InvalidMetadata'],
  [{ additionalPodMetadata: { annotations: { 'a.k8s.io/x': 'x' } } }, 'InvalidMetadata'],
  [{ additionalPodMetadata: { labels: { 'sandbox.users.io/t': 'x' } } }, 'InvalidMetadata'],
  [{ env: [{ name: 'A', value: '1' }] }, 'EnvVarsInjectionRejected'],
  [{ volumeClaimTemplates: [{ metadata: { name: 'v' }, spec: {} }] }, 'VolumeClaimTemplatesError'],
])('%j is refused in a condition: %s', async (spec, reason) => {
  const labels = { 'sandbox.users.io/t': 'fixed' };
  cluster.template('strict', {
    podTemplate: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'base' }] } },
  });
  cluster.claim('one', { warmPoolRef: { name: 'shadow-pool-strict' }, ...spec });
  await cluster.reason(keys.claims, 'one', reason);
  expect(cluster.names()).toEqual([]);
});

test('labels, variables and volumes of a claim reach the sandbox where the template allows it', async () => {
  const container = { name: 'a', image: 'base', env: [{ name: 'A', value: '1' }] };
  cluster.template('open', {
    podTemplate: { spec: { containers: [container] } },
    envVarsInjectionPolicy: 'Overrides',
    volumeClaimTemplatesPolicy: 'Allowed',
  });
  cluster.claim('one', {
    warmPoolRef: { name: 'shadow-pool-open' },
    env: [
      { name: 'A', value: '2' },
      { name: 'B', value: '3' },
    ],
    additionalPodMetadata: { labels: { 'sandbox.users.io/t': 'x' } },
    volumeClaimTemplates: [
      { metadata: { name: 'v' }, spec: { resources: { requests: { storage: '64Mi' } } } },
    ],
  });
  await cluster.reason(keys.claims, 'one');
  expect(cluster.driver.made[0]).toMatchObject({
    env: { A: '2', B: '3' },
    volumes: [{ name: 'v-one', path: '/mnt/v', size_mb: 64 }],
  });
  expect(cluster.get(keys.pods, 'one').metadata.labels).toMatchObject({
    'sandbox.users.io/t': 'x',
  });
  expect(cluster.get(keys.volumeClaims, 'v-one').status).toMatchObject({ phase: 'Bound' });
  cluster.store.remove(keys.claims, 'default', 'one');
  await cluster.gone(keys.sandboxes, 'one');
  expect(cluster.driver.removedVolumes).toEqual(['v-one']);
  expect(cluster.store.list(keys.volumeClaims)).toEqual([]);
});

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

test.each(['Delete', 'DeleteForeground'])('one that expires goes with %s', async (policy) => {
  cluster.claim('one', { lifecycle: { shutdownTime: inMs(300), shutdownPolicy: policy } });
  await cluster.reason(keys.claims, 'one');
  await cluster.gone(keys.claims, 'one');
  await vi.waitFor(() => expect(cluster.names()).toEqual([]));
});

test('one that expires and is retained says so', async () => {
  cluster.claim('one', { lifecycle: { shutdownTime: inMs(200), shutdownPolicy: 'Retain' } });
  const claim = await cluster.reason(keys.claims, 'one', 'ClaimExpired');
  expect(claim.status?.['sandbox']).toBeUndefined();
  await vi.waitFor(() => expect(cluster.names()).toEqual([]));
  expect(cluster.store.list(keys.sandboxes)).toEqual([]);
});

test('one that is to go after it has finished does', async () => {
  cluster.claim('one', { lifecycle: { shutdownPolicy: 'Delete', ttlSecondsAfterFinished: 1 } });
  await cluster.reason(keys.claims, 'one');
  cluster.driver.die(cluster.driver.made[0]?.id ?? '', 'killed');
  const claim = await cluster.reason(keys.claims, 'one', 'PodFailed');
  expect(conditionOf(claim, 'Finished')).toMatchObject({ status: 'True' });
  await cluster.gone(keys.claims, 'one');
});

test('a claim whose sandbox was deleted says so and makes no other', async () => {
  cluster.claim('one');
  await cluster.reason(keys.claims, 'one');
  cluster.store.remove(keys.sandboxes, 'default', 'one');
  await cluster.reason(keys.claims, 'one', 'SandboxMissing');
  expect(cluster.driver.made).toHaveLength(1);
});

test('a Sandbox of the name that is not the claim’s is left alone', async () => {
  cluster.sandbox('one');
  await cluster.reason(keys.sandboxes, 'one');
  cluster.claim('one');
  await cluster.reason(keys.claims, 'one', 'ReconcilerError');
  cluster.store.remove(keys.claims, 'default', 'one');
  expect(cluster.names()).toEqual(['one']);
});

test('claims for which there is no room wait for it, each namespace for its own', async () => {
  const admin = { keyId: 'k' };
  cluster.engine.quotas.set(admin, 'default' as never, { max_sandboxes: 2 });
  for (let at = 0; at < 10; at += 1) cluster.claim(`c${at}`);
  const full = await cluster.reason(keys.claims, 'c9', 'ReconcilerError');
  expect(conditionOf(full, 'Ready')?.message).toMatch(/may have 2 sandboxes/);
  cluster.claim('other', {}, 'elsewhere');
  await cluster.reason(keys.claims, 'other', 'DependenciesReady', 'elsewhere');
  cluster.store.remove(keys.claims, 'default', 'c0');
  await cluster.reason(keys.claims, 'c2');
});

test('of many at once only some are made at one time, and all in the end', async () => {
  for (let at = 0; at < 20; at += 1) cluster.claim(`c${at}`);
  await cluster.reason(keys.claims, 'c19');
  expect(cluster.driver.mostAtOnce).toBe(2);
  expect(cluster.names()).toHaveLength(20);
});

test('what fails is told and tried again', async () => {
  cluster.driver.failure = new SandportFault('create_failed', 'The runtime refused.');
  cluster.claim('one');
  const claim = await cluster.reason(keys.claims, 'one', 'ReconcilerError');
  expect(conditionOf(claim, 'Ready')?.message).toBe('The runtime refused.');
});
