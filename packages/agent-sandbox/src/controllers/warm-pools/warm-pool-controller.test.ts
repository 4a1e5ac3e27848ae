import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keys } from '../../resources/keys.ts';
import { Controlled } from '../../testing/controlled.ts';

let cluster: Controlled;
beforeEach(async () => {
  cluster = await Controlled.start();
});
afterEach(() => cluster[Symbol.asyncDispose]());

const pool = (name: string, template: string, replicas = 2) =>
  cluster.create(keys.warmPools, {
    apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
    kind: 'SandboxWarmPool',
    metadata: { name, namespace: 'default' },
    spec: { replicas, sandboxTemplateRef: { name: template } },
  });

const ready = (name: string, readyReplicas: number) =>
  vi.waitFor(
    () => expect(cluster.get(keys.warmPools, name).status).toMatchObject({ readyReplicas }),
    { timeout: 4_000 },
  );

test('a pool keeps sandboxes ready, which its claims take', async () => {
  cluster.template('t', {
    podTemplate: {
      spec: {
        containers: [
          { name: 'a', image: 'base', resources: { requests: { 'ephemeral-storage': '512Mi' } } },
        ],
      },
    },
  });
  pool('p', 't');
  await ready('p', 2);
  expect(cluster.get(keys.warmPools, 'p').status).toMatchObject({
    replicas: 2,
    observedGeneration: 1,
    selector: expect.stringContaining('agents.x-k8s.io/warm-pool-sandbox='),
  });
  expect(cluster.names()).toEqual([]);
  cluster.claim('one', { warmPoolRef: { name: 'p' } });
  await cluster.reason(keys.claims, 'one');
  const [sandbox] = cluster.engine.sandboxes.list({ keyId: 'k' }, {}).sandboxes;
  expect(sandbox).toMatchObject({ name: 'one', boot_mode: 'pool' });
  await vi.waitFor(() => expect(cluster.driver.made).toHaveLength(3), { timeout: 4_000 });
  await ready('p', 2);
  cluster.change(keys.warmPools, 'p', { replicas: 1 });
  await ready('p', 1);
  cluster.store.remove(keys.warmPools, 'default', 'p');
  await vi.waitFor(() => expect(cluster.driver.removed).toHaveLength(2), { timeout: 4_000 });
});

test('one without a template waits for it', async () => {
  pool('p', 'later', 1);
  await ready('p', 0);
  expect(cluster.store.list(keys.events)).toMatchObject([
    { type: 'Warning', reason: 'FailedCreate', involvedObject: { name: 'p' } },
  ]);
  cluster.template('later');
  await ready('p', 1);
});

test('members count against the quota of the namespace', async () => {
  cluster.engine.quotas.set({ keyId: 'k' }, 'default' as never, { max_sandboxes: 1 });
  pool('p', 'base', 5);
  await ready('p', 1);
  expect(cluster.get(keys.warmPools, 'p').status).toMatchObject({ replicas: 1 });
  await vi.waitFor(() =>
    expect(cluster.store.list(keys.events)).toMatchObject([
      { message: expect.stringContaining('room for 1 of 5') },
    ]),
  );
});

test('claims that find one made ahead do not wait for those that are made', async () => {
  pool('p', 'base', 1);
  await ready('p', 1);
  cluster.driver.gate = new Promise(() => {});
  for (let at = 0; at < 4; at += 1)
    cluster.claim(`cold${at}`, { volumeClaimTemplates: [{ metadata: { name: 'v' }, spec: {} }] });
  await vi.waitFor(() => expect(cluster.driver.underWay).toBe(2));
  cluster.claim('warm', { warmPoolRef: { name: 'p' } });
  await cluster.reason(keys.claims, 'warm');
});
