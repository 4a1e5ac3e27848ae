import { createdKeySchema } from '@sandport/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  agents,
  claimBody,
  claimReady,
  conditionOf,
  extensions,
  json,
  Kube,
  useDaemon,
  waitFor,
} from '../harness/index.ts';

/** What a tenant may try with objects alone. */
const used = useDaemon({ kubernetes: true });
let admin: Kube;
let tenant: Kube;
beforeAll(async () => {
  admin = await Kube.of(used.daemon);
  const body = { label: 'tenant', namespaces: ['tenant'] };
  const answer = await used.api.sendJson('POST', '/v1/keys', body);
  tenant = admin.withToken(createdKeySchema.parse(json(answer, 201)).api_key);
});
afterAll(() => {
  for (const kube of [admin, tenant]) kube?.[Symbol.dispose]();
});

const claims = (namespace: string) => `${extensions('v1beta1', namespace)}/sandboxclaims`;
const sandboxes = (namespace: string) => `${agents('v1beta1', namespace)}/sandboxes`;

const sandbox = (name: string, metadata: Record<string, unknown> = {}, image = 'base') => ({
  apiVersion: 'agents.x-k8s.io/v1beta1',
  kind: 'Sandbox',
  metadata: { name, ...metadata },
  spec: { podTemplate: { spec: { containers: [{ name: 'main', image }] } } },
});

const ownedBy = (uid: string, name: string) => ({
  ownerReferences: [
    {
      apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
      kind: 'SandboxClaim',
      name,
      uid,
      controller: true,
      blockOwnerDeletion: true,
    },
  ],
});

test('a reference to an owner in another namespace ties nothing to it', async () => {
  const claim = await claimReady(admin, 'victim', 'base', {}, 'default');
  const mine = sandbox('victim', ownedBy(claim.metadata.uid, 'victim'));
  await tenant.send('POST', sandboxes('tenant'), mine);
  await admin.send('DELETE', `${claims('default')}/victim?propagationPolicy=Foreground`);
  await waitFor(
    async () => (await admin.send('GET', `${claims('default')}/victim`)).status === 404,
    { timeoutMs: 20_000, what: 'the end of the claim, whatever others own' },
  );
  await tenant.send('DELETE', `${sandboxes('tenant')}/victim`);
});

test('a Sandbox that says it is a claim’s is not taken for it', async () => {
  await tenant.object(201, 'POST', sandboxes('tenant'), sandbox('squat'));
  await tenant.object(201, 'POST', claims('tenant'), claimBody('squat', 'base'));
  const refused = await tenant.until(
    `${claims('tenant')}?fieldSelector=metadata.name%3Dsquat`,
    (object) => conditionOf(object)?.reason === 'ReconcilerError',
  );
  expect(refused.status?.sandbox).toBeUndefined();
  await tenant.send('DELETE', `${claims('tenant')}/squat`);
  expect((await tenant.send('GET', `${sandboxes('tenant')}/squat`)).status).toBe(200);
  await tenant.send('DELETE', `${sandboxes('tenant')}/squat`);
});

test('a tenant has no image fetched, whatever he annotates', async () => {
  const annotations = {
    'sandport.dev/may-build': 'true',
    'sandport.dev/insecure-registry': 'true',
  };
  const body = sandbox('fetch', { annotations }, '127.0.0.1:1/x:1');
  await tenant.object(201, 'POST', sandboxes('tenant'), body);
  const failed = await tenant.until(
    `${sandboxes('tenant')}?fieldSelector=metadata.name%3Dfetch`,
    (object) => conditionOf(object)?.reason === 'TemplateBuildFailed',
  );
  expect(conditionOf(failed)?.message).toContain('may not build templates');
  const merge = { 'content-type': 'application/merge-patch+json' };
  const path = `${sandboxes('tenant')}/fetch`;
  const patched = await tenant.object(200, 'PATCH', path, { metadata: { annotations } }, merge);
  expect(patched.metadata.annotations).not.toHaveProperty(['sandport.dev/may-build']);
  expect((await used.api.send('GET', '/v1/templates/builds')).body.toString()).not.toContain(
    'image-',
  );
  await tenant.send('DELETE', path);
});

test('a status that a client writes is put right', async () => {
  const claim = await claimReady(tenant, 'liar', 'base', {}, 'tenant');
  const path = `${sandboxes('tenant')}/liar/status`;
  const merge = { 'content-type': 'application/merge-patch+json' };
  await tenant.send('PATCH', path, { status: { podIPs: ['10.0.0.1'], nodeName: 'x' } }, merge);
  await tenant.until(
    `${sandboxes('tenant')}?fieldSelector=metadata.name%3Dliar`,
    (object) => object.status?.podIPs?.[0] === claim.status?.sandbox?.podIPs?.[0],
  );
  await tenant.send('DELETE', `${claims('tenant')}/liar`);
});

test('a flood of claims leaves room for others, and goes as it came', async () => {
  json(await used.api.sendJson('PUT', '/v1/namespaces/tenant/quota', { max_sandboxes: 2 }), 200);
  const many = 500;
  const batch = 50;
  for (let from = 0; from < many; from += batch)
    await Promise.all(
      Array.from({ length: batch }, (_, at) =>
        tenant.send('POST', claims('tenant'), claimBody(`flood-${from + at}`, 'base')),
      ),
    );
  const startedAt = performance.now();
  await claimReady(admin, 'other', 'base', {}, 'default');
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  const made = (await used.api.list()).filter(({ name }) => name?.startsWith('flood-'));
  expect(made.length).toBeLessThanOrEqual(2);
  await admin.send('DELETE', `${claims('default')}/other`);
  const gone = await tenant.send('DELETE', claims('tenant'));
  expect(gone.status).toBe(200);
  await waitFor(async () => (await used.api.list()).length === 0, {
    timeoutMs: 60_000,
    what: 'the end of the flood',
  });
  expect((await tenant.send('GET', sandboxes('tenant'))).body).toMatchObject({ items: [] });
});

test('odd names and huge maps are refused or kept, and harm nothing', async () => {
  for (const name of ['..', '../x', 'a/b', 'A', '%2e', `${'x'.repeat(64)}`, 'a\u0000b', ''])
    expect((await tenant.send('POST', claims('tenant'), claimBody(name, 'base'))).status).toBe(422);
  const labels = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, at) => [`sandbox.users.io/l${at}`, 'x']),
  );
  const huge = claimBody('huge', 'base', { additionalPodMetadata: { labels } });
  const { status } = await tenant.send('POST', claims('tenant'), huge);
  expect([201, 413, 422]).toContain(status);
  await tenant.send('DELETE', `${claims('tenant')}/huge`);
  await claimReady(tenant, 'fine', 'base', {}, 'tenant');
  await tenant.send('DELETE', `${claims('tenant')}/fine`);
});
