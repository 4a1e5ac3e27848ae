import { KubeError } from '@sandport/kube-api';
import { namespaceSchema } from '@sandport/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keys } from '../../resources/keys.ts';
import { administrator, Controlled, tenant } from '../../testing/controlled.ts';

let cluster: Controlled;
beforeEach(async () => {
  cluster = await Controlled.start();
});
afterEach(() => cluster[Symbol.asyncDispose]());

const key = { keyId: 'k' };
const inNamespace = namespaceSchema.parse('default');
const block = (cidr: string) => ({ egress: [{ to: [{ ipBlock: { cidr } }] }] });
const networkOf = (name: string) => cluster.engine.sandboxes.get(key, name).network;
const follows = (name: string, network: object) =>
  vi.waitFor(() => expect(networkOf(name)).toEqual(network), { timeout: 4_000, interval: 5 });
const listed = (...allow: string[]) => ({ egress: 'allowlist', allow });

test('sandboxes have the policy of their template, and follow it', async () => {
  cluster.template('open', { networkPolicy: block('1.2.3.0/24') });
  cluster.template('shut', { networkPolicy: {} });
  cluster.template('silent');
  cluster.template('left', {
    networkPolicy: block('1.2.3.0/24'),
    networkPolicyManagement: 'Unmanaged',
  });
  await cluster.engine.networks.set(key, inNamespace, { default: { egress: 'all' } });
  for (const name of ['open', 'shut', 'silent', 'left']) {
    cluster.claim(`of-${name}`, { warmPoolRef: { name } });
    await cluster.reason(keys.claims, `of-${name}`);
  }
  expect(networkOf('of-open')).toEqual(listed('1.2.3.0/24'));
  expect(networkOf('of-shut')).toEqual({ egress: 'none' });
  // What the namespace says.
  expect(networkOf('of-silent')).toEqual({ egress: 'all' });
  expect(networkOf('of-left')).toEqual({ egress: 'all' });
  cluster.change(keys.templates, 'open', { networkPolicy: block('1.2.4.0/24') });
  await follows('of-open', listed('1.2.4.0/24'));
  expect(networkOf('of-shut')).toEqual({ egress: 'none' });
  cluster.change(keys.templates, 'open', { networkPolicy: {} });
  await follows('of-open', { egress: 'none' });
});

test('what a template asks for beyond the bound of its namespace is said by the claim', async () => {
  await cluster.engine.networks.set(key, inNamespace, { max_egress: 'none' });
  cluster.template('open', { networkPolicy: block('1.2.3.0/24') });
  cluster.claim('one', { warmPoolRef: { name: 'open' } });
  const claim = await cluster.reason(keys.claims, 'one', 'ReconcilerError');
  expect(JSON.stringify(claim.status)).toContain('may have egress \\"none\\" at most');
  expect(cluster.names()).toEqual([]);
  // One that runs says it by an event, and keeps what it has.
  await cluster.engine.networks.set(key, inNamespace, { max_egress: 'allowlist' });
  cluster.claim('two', { warmPoolRef: { name: 'open' } });
  await cluster.reason(keys.claims, 'two');
  cluster.change(keys.templates, 'open', { networkPolicy: { egress: [{}] } });
  await vi.waitFor(
    () =>
      expect(cluster.store.list(keys.events)).toContainEqual(
        expect.objectContaining({ reason: 'NetworkPolicyNotApplied' }),
      ),
    { timeout: 4_000 },
  );
  expect(networkOf('two')).toEqual(listed('1.2.3.0/24'));
});

test('private networks are opened by administrators only', async () => {
  const inside = { networkPolicy: block('10.0.0.0/8') };
  expect(() => cluster.template('yours', inside, tenant)).toThrow(KubeError);
  cluster.template('mine', inside, administrator);
  cluster.claim('one', { warmPoolRef: { name: 'mine' } });
  await cluster.reason(keys.claims, 'one');
  expect(networkOf('one')).toEqual(listed('10.0.0.0/8'));
  // A tenant who changes something else of it takes it over.
  const admit = cluster.store.resources.find(({ plural }) => plural === 'sandboxtemplates')?.admit;
  const before = cluster.get(keys.templates, 'mine');
  const asTenant = (spec: object) =>
    admit?.(
      { ...before, spec: { ...before.spec, ...spec } },
      {
        caller: tenant,
        before,
        operation: 'update',
      },
    );
  expect(() => asTenant({ service: true })).toThrow(/10\.0\.0\.0\/8 is of a private network/);
  expect(asTenant({})?.warnings).toEqual([]);
  expect(asTenant({ service: true, networkPolicy: block('1.2.3.4/32') })?.warnings).toEqual([]);
  // One that a tenant wrote before anybody looked at policies.
  cluster.template('old', {}, tenant);
  const old = cluster.get(keys.templates, 'old');
  cluster.store.update(keys.templates, { ...old, spec: { ...old.spec, ...inside } });
  cluster.claim('two', { warmPoolRef: { name: 'old' } });
  await cluster.reason(keys.claims, 'two');
  expect(networkOf('two')).toEqual({ egress: 'none' });
});

test('what of a policy has no effect is said', () => {
  const warningsOf = (spec: object) => {
    const template = cluster.template(`t${cluster.store.list(keys.templates).length}`);
    const admit = cluster.store.resources.find(
      ({ plural }) => plural === 'sandboxtemplates',
    )?.admit;
    const object = { ...template, spec: { ...template.spec, ...spec } };
    return admit?.(object, { caller: tenant, before: template, operation: 'update' }).warnings;
  };
  expect(
    warningsOf({ networkPolicy: { ingress: [{}], egress: [{ to: [{ podSelector: {} }] }] } }),
  ).toEqual([
    expect.stringContaining('spec.networkPolicy.ingress has no effect'),
    expect.stringContaining('spec.networkPolicy.egress[0].to[0].podSelector opens nothing'),
  ]);
  expect(
    warningsOf({ networkPolicy: block('1.2.3.0/24'), networkPolicyManagement: 'Unmanaged' }),
  ).toEqual([expect.stringContaining('networkPolicyManagement is Unmanaged')]);
  expect(() => warningsOf({ networkPolicy: block('1.2.3') })).toThrow(
    /spec\.networkPolicy\.egress\[0\]\.to\[0\]\.ipBlock\.cidr/,
  );
});

test('a pool of a template with a policy keeps sandboxes with an interface', async () => {
  cluster.template('open', { networkPolicy: block('1.2.3.0/24') });
  cluster.create(keys.warmPools, {
    apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
    kind: 'SandboxWarmPool',
    metadata: { name: 'p', namespace: 'default' },
    spec: { replicas: 1, sandboxTemplateRef: { name: 'open' } },
  });
  await vi.waitFor(
    () => expect(cluster.get(keys.warmPools, 'p').status).toMatchObject({ readyReplicas: 1 }),
    { timeout: 4_000 },
  );
  expect(cluster.driver.made[0]?.network).toEqual({ egress: 'none' });
  cluster.claim('one', { warmPoolRef: { name: 'p' } });
  await cluster.reason(keys.claims, 'one');
  expect(cluster.engine.sandboxes.get(key, 'one')).toMatchObject({
    boot_mode: 'pool',
    network: listed('1.2.3.0/24'),
  });
});
