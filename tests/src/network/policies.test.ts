import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Api,
  claimReady,
  extensions,
  faultOf,
  json,
  Kube,
  startDaemon,
  type TestDaemon,
  waitFor,
} from '../harness/index.ts';
import { type Internet, makeInternet } from './internet.ts';
import { probe, refused } from './probe.ts';
import { cut, talkTo } from './talk.ts';

const listed = { egress: 'allowlist', allow: ['allowed.test'] };
const isolations = ['gvisor', 'container'] as const;

let internet: Internet;
let daemon: TestDaemon;
beforeAll(async () => {
  internet = await makeInternet();
  daemon = await startDaemon({ args: ['--network-dns', internet.dns], kubernetes: true });
});
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await internet?.[Symbol.asyncDispose]();
});

const works = (isolation: (typeof isolations)[number], skip: (reason: string) => void) => {
  if (!daemon.isolations.includes(isolation))
    skip(`${isolation} does not work on this machine; see \`sandport doctor\``);
};
const greets = (address: string) => expect.stringMatching(`^${address} greets`);
test('a container of a pool without a network gets one when it is taken', async () => {
  const { api } = daemon;
  const setPool = async (size: number) =>
    json(await api.sendJson('PUT', '/v1/pools/base', { size, isolation: 'container' }), 200);
  await setPool(1);
  await waitFor(async () => (await api.pool('base', 'container')).ready === 1, {
    timeoutMs: 30_000,
    what: 'a pool with one ready',
  });
  const made = await api.create({ isolation: 'container', network: listed });
  await setPool(0);
  expect(made).toMatchObject({ boot_mode: 'pool', network: listed });
  expect(await probe(api, made.id, [['tcp', 'allowed.test', 80]])).toEqual([
    greets(internet.allowed),
  ]);
  await api.kill(made.id);
});

test('one port of all addresses, and who was asked for when it is refused', async () => {
  const { api } = daemon;
  const network = { egress: 'allowlist', allow: ['*:443/tcp'] };
  const { id } = await api.create({ isolation: 'container', network });
  expect(
    await probe(api, id, [
      ['tcp', 'other.test', 443],
      ['tcp', internet.allowed, 443],
      ['tcp', 'other.test', 80],
      ['tcp', internet.inside, 443],
      ['tcp', internet.metadata, 443],
      ['name', 'rebind.test'],
    ]),
  ).toEqual([
    greets(internet.other),
    greets(internet.allowed),
    refused,
    refused,
    refused,
    [internet.allowed],
  ]);
  await waitFor(async () => {
    const denied = (await api.events(id)).map(({ payload }) => payload);
    const wanted = { destination: internet.other, port: 80, name: 'other.test' };
    return denied.some((each) => Object.entries(wanted).every(([key, is]) => each[key] === is));
  });
  await api.kill(id);
});

test('a namespace has a default and a bound, which takes what is open beyond it', async () => {
  const { api } = daemon;
  const path = '/v1/namespaces/bounded/network';
  const set = (body: object, by: Api = api) => by.sendJson('PUT', path, body);
  const { api: tenant, id: keyId } = await api.newKey({ namespaces: ['bounded'] });
  faultOf(await set({ max_egress: 'all' }, tenant), 'forbidden');
  faultOf(await set({ max_egress: 'some' }), 'invalid_request');
  faultOf(await set({ more: 1 }), 'invalid_request');
  json(await set({ default: { egress: 'all' } }), 200);
  const fields = { namespace: 'bounded', isolation: 'container' };
  const { id, network } = await tenant.create(fields);
  expect(network).toEqual({ egress: 'all' });
  const { ended } = await talkTo(tenant, id, internet.other);
  const bound = { max_egress: 'allowlist', max_allow: ['*.wild.test', 'allowed.test'] };
  expect(json(await set(bound), 200)).toEqual({ namespace: 'bounded', ...bound });
  expect(await ended).toMatch(cut);
  expect((await tenant.get(id)).network).toEqual({ egress: 'none' });
  expect(json(await tenant.send('GET', path), 200)).toMatchObject(bound);

  for (const [asked, named] of [
    [{ egress: 'all' }, 'egress \\"all\\"'],
    [{ egress: 'allowlist', allow: ['allowed.test', 'other.test'] }, 'other.test'],
    [{ egress: 'allowlist', allow: [internet.other] }, internet.other],
  ] as const)
    for (const by of [tenant, api]) {
      const body = { ...fields, network: asked };
      const created = await by.sendJson('POST', '/v1/sandboxes', body);
      expect(JSON.stringify(faultOf(created, 'network_beyond_bound'))).toContain(named);
      const patched = await by.sendJson('PATCH', `/v1/sandboxes/${id}`, { network: asked });
      expect(JSON.stringify(faultOf(patched, 'network_beyond_bound'))).toContain(named);
    }
  const within = { egress: 'allowlist', allow: ['www.wild.test'] };
  json(await tenant.sendJson('PATCH', `/v1/sandboxes/${id}`, { network: within }), 200);
  expect(await probe(tenant, id, [['tcp', 'www.wild.test', 80]])).toEqual([
    greets(internet.allowed),
  ]);
  await api.kill(id);
  json(await set({}), 200);
  await api.send('DELETE', `/v1/keys/${keyId}`);
});

test.each(isolations)('%s: claims have the network policy of their template', async (isolation) => {
  works(isolation, (reason) => test.skip(reason));
  const { api } = daemon;
  using kube = await Kube.of(daemon);
  const name = `policy-${isolation}`;
  const egress = (cidr: string, port: number) => [
    { to: [{ ipBlock: { cidr } }, { podSelector: {} }], ports: [{ port }] },
  ];
  const body = {
    apiVersion: 'extensions.agents.x-k8s.io/v1alpha1',
    kind: 'SandboxTemplate',
    metadata: { name },
    spec: {
      podTemplate: {
        spec: {
          runtimeClassName: isolation,
          containers: [{ name: 'main', image: 'sandport/base' }],
        },
      },
      networkPolicy: { egress: egress(`${internet.allowed}/32`, 80) },
    },
  };
  const old = `${extensions('v1alpha1')}/sandboxtemplates`;
  const { status, headers } = await kube.send('POST', old, body);
  expect(status).toBe(201);
  expect(String(headers['warning'])).toContain(
    'spec.networkPolicy.egress[0].to[1].podSelector opens nothing',
  );
  const pools = `${extensions('v1beta1')}/sandboxwarmpools`;
  await kube.object(201, 'POST', pools, {
    apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
    kind: 'SandboxWarmPool',
    metadata: { name },
    spec: { replicas: 1, sandboxTemplateRef: { name } },
  });
  const full = () =>
    kube.until(
      `${pools}?fieldSelector=metadata.name%3D${name}`,
      (object) => object.status?.readyReplicas === 1,
    );
  await full();
  // Those that wait are for whoever wants a network, whichever it is, and for nobody else.
  const none = await api.create({ isolation });
  expect(none).toMatchObject({ boot_mode: 'cold', network: { egress: 'none' } });
  expect((await api.exec(none.id, 'cat /proc/net/dev')).stdout).not.toContain('eth0');
  const other = await api.create({
    isolation,
    network: { egress: 'allowlist', allow: ['allowed.test', `${internet.inside}:80/tcp`] },
  });
  expect(other).toMatchObject({ boot_mode: 'pool' });
  expect(
    await probe(api, other.id, [
      ['tcp', 'allowed.test', 443],
      ['name', 'other.test'],
      ['tcp', internet.inside, 80],
      ['tcp', internet.inside, 443],
    ]),
  ).toEqual([greets(internet.allowed), 'no such name', greets(internet.inside), refused]);
  await Promise.all([none, other].map((each) => api.kill(each.id)));
  await full();
  const claim = await claimReady(kube, `claim-${isolation}`, name);
  const { id, boot_mode, network } = await api.get(claim.status?.sandbox?.name ?? '');
  expect({ boot_mode, network }).toEqual({
    boot_mode: 'pool',
    network: { egress: 'allowlist', allow: [`${internet.allowed}/32:80/tcp`] },
  });
  expect(
    await probe(api, id, [
      ['tcp', internet.allowed, 80],
      ['tcp', internet.allowed, 443],
      ['tcp', internet.other, 80],
    ]),
  ).toEqual([greets(internet.allowed), refused, refused]);
  const current = `${extensions('v1beta1')}/sandboxtemplates/${name}`;
  const patch = { spec: { networkPolicy: { egress: egress(`${internet.other}/32`, 443) } } };
  const merge = { 'content-type': 'application/merge-patch+json' };
  await kube.object(200, 'PATCH', current, patch, merge);
  await waitFor(async () => JSON.stringify((await api.get(id)).network).includes(internet.other));
  expect(
    await probe(api, id, [
      ['tcp', internet.allowed, 80],
      ['tcp', internet.other, 443],
    ]),
  ).toEqual([refused, greets(internet.other)]);
  await kube.send('DELETE', `${extensions('v1beta1')}/sandboxclaims/claim-${isolation}`);
  await kube.send('DELETE', `${pools}/${name}`);
  await kube.send('DELETE', current);
});
