import { afterAll, beforeAll, expect, test } from 'vitest';
import { createdKeySchema } from '@sandport/protocol';
import {
  agents,
  claimReady,
  exchange,
  extensions,
  json,
  Kube,
  kubeconfigOf,
  Kubectl,
  kubectls,
  noKubectl,
  useDaemon,
  type WatchEvent,
} from '../harness/index.ts';

/** Two tenants with a key each, and a sandbox each. */
const used = useDaemon({ kubernetes: true });
let admin: Kube;
const keys = new Map<string, string>();
const tenants = new Map<string, Kube>();
const addresses = new Map<string, string>();
const tenant = (name: string): Kube => tenants.get(name) as Kube;

beforeAll(async () => {
  admin = await Kube.of(used.daemon);
  for (const name of ['red', 'blue']) {
    const body = { label: name, namespaces: [name] };
    const answer = await used.api.sendJson('POST', '/v1/keys', body);
    const { api_key: key } = createdKeySchema.parse(json(answer, 201));
    keys.set(name, key);
    tenants.set(name, admin.withToken(key));
    const claim = await claimReady(tenant(name), `box-${name}`, 'base', {}, name);
    addresses.set(name, claim.status?.sandbox?.podIPs?.[0] ?? '');
  }
});
afterAll(() => {
  for (const kube of [admin, ...tenants.values()]) kube?.[Symbol.dispose]();
});

const forbidden = async (path: string, method = 'GET', body?: unknown) => {
  const answer = await tenant('red').send(method, path, body);
  expect(answer, `${method} ${path}`).toMatchObject({
    status: 403,
    body: { kind: 'Status', reason: 'Forbidden', code: 403 },
  });
};

test('a key reads and changes its own namespace only', async () => {
  const blue = `${extensions('v1beta1', 'blue')}/sandboxclaims`;
  for (const path of [
    blue,
    `${blue}/box-blue`,
    `${blue}?watch=1`,
    `${agents('v1beta1', 'blue')}/sandboxes/box-blue`,
    `${agents('v1alpha1', 'blue')}/sandboxes/box-blue`,
    `${extensions('v1beta1', 'blue')}/sandboxtemplates`,
    `${extensions('v1beta1', 'blue')}/sandboxwarmpools`,
    '/api/v1/namespaces/blue',
    '/api/v1/namespaces/blue/pods',
    '/api/v1/namespaces/blue/pods/box-blue',
    '/api/v1/namespaces/blue/events',
    '/api/v1/namespaces/blue/services',
    '/api/v1/namespaces/blue/persistentvolumeclaims',
    '/api/v1/namespaces/blue/pods/box-blue/portforward?ports=8888',
    '/api/v1/namespaces/blue/pods/box-blue/exec?command=id&stdout=1',
  ])
    await forbidden(path);
  await forbidden(`${blue}/box-blue`, 'DELETE');
  await forbidden(blue, 'DELETE');
  await forbidden(blue, 'POST', {
    apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
    kind: 'SandboxClaim',
    metadata: { name: 'intruder' },
    spec: { warmPoolRef: { name: 'base' } },
  });
  await forbidden('/api/v1/namespaces/agent-sandbox-system/pods/sandbox-router', 'DELETE');
});

test('lists and watches over all namespaces show its own', async () => {
  const all = '/apis/extensions.agents.x-k8s.io/v1beta1/sandboxclaims';
  const { body } = await tenant('red').send('GET', all);
  const names = (body as { items: { metadata: { name: string } }[] }).items.map(
    ({ metadata }) => metadata.name,
  );
  expect(names).toEqual(['box-red']);
  const seen: WatchEvent[] = [];
  const watching = (async () => {
    for await (const event of tenant('red').watch(
      `${all}?timeoutSeconds=2`,
      AbortSignal.timeout(20_000),
    ))
      seen.push(event);
  })();
  for (const name of ['blue', 'red'])
    await tenant(name).object(
      200,
      'PATCH',
      `${extensions('v1beta1', name)}/sandboxclaims/box-${name}`,
      { metadata: { labels: { touched: 'yes' } } },
      { 'content-type': 'application/merge-patch+json' },
    );
  await watching;
  expect(new Set(seen.map(({ object }) => object.metadata.name))).toEqual(new Set(['box-red']));
  const namespaces = await tenant('red').send('GET', '/api/v1/namespaces');
  expect(JSON.stringify(namespaces.body)).not.toContain('blue');
});

test('no token, a wrong one and a token of another kind are nobody', async () => {
  for (const token of ['', 'sp_0123456789abcdef0123456789abcdef', '../../etc/passwd']) {
    using nobody = admin.withToken(token);
    expect(await nobody.send('GET', '/api/v1/pods')).toMatchObject({
      status: 401,
      body: { kind: 'Status', reason: 'Unauthorized' },
    });
  }
});

/** A request to the router with the key of `red`. */
const byRouter = (headers: Readonly<Record<string, string>>, path = '/exists/x') =>
  exchange(used.daemon.url, {
    path: `/agent-sandbox/router${path}`,
    headers: { authorization: `Bearer ${keys.get('red')}`, ...headers },
  });

test('the router leads to the sandboxes of the key, and to nothing else', async () => {
  const own = { 'x-sandbox-id': 'box-red', 'x-sandbox-namespace': 'red' };
  expect((await byRouter(own)).status).toBe(200);
  expect((await byRouter({ ...own, 'x-sandbox-pod-ip': addresses.get('red') ?? '' })).status).toBe(
    200,
  );
  for (const headers of [
    { 'x-sandbox-id': 'box-blue', 'x-sandbox-namespace': 'blue' },
    { 'x-sandbox-id': 'box-blue', 'x-sandbox-namespace': 'red' },
    { 'x-sandbox-id': 'box-blue' },
    { 'x-sandbox-id': (await used.api.get('box-blue')).id, 'x-sandbox-namespace': 'red' },
    { ...own, 'x-sandbox-pod-ip': addresses.get('blue') ?? '' },
    { ...own, 'x-sandbox-pod-ip': '127.0.0.1' },
    { ...own, 'x-sandbox-pod-ip': '169.254.169.254' },
    { ...own, 'x-sandbox-pod-ip': '::ffff:127.0.0.1' },
    { ...own, 'x-sandbox-pod-ip': '0' },
    { ...own, 'x-sandbox-port': '0' },
    { ...own, 'x-sandbox-port': '65536' },
    { ...own, 'x-sandbox-port': '8888@127.0.0.1' },
    { ...own, 'x-sandbox-id': 'box-red/../box-blue' },
    { ...own, 'x-sandbox-id': 'localhost:8420' },
    { ...own, 'x-sandbox-namespace': '../blue' },
  ]) {
    const answer = await byRouter(headers);
    expect([400, 403, 404, 502], JSON.stringify(headers)).toContain(answer.status);
    expect(JSON.parse(answer.body.toString())).toEqual({ detail: expect.any(String) });
  }
  // The port of the daemon itself, seen from the sandbox, is the sandbox's own: nobody listens there.
  const daemonPort = new URL(used.daemon.url).port;
  const answer = await byRouter({ ...own, 'x-sandbox-port': daemonPort }, '/v1/sandboxes');
  expect(answer.status).toBe(502);
  const anonymous = await exchange(used.daemon.url, {
    path: '/agent-sandbox/router/exists/x',
    headers: own,
  });
  expect(anonymous.status).toBe(401);
});

test('a tunnel leads to the sandboxes of its key', async (context) => {
  if (kubectls.length === 0) context.skip(noKubectl);
  const file = kubeconfigOf(used.daemon, 'red', {
    apiKey: keys.get('red') ?? '',
    args: ['--namespace', 'red'],
  });
  const kubectl = new Kubectl(kubectls[0] ?? '', file);
  expect(await kubectl.out(['get', 'sandboxclaims', '-o', 'name'])).toContain('box-red');
  expect(await kubectl.out(['exec', 'box-red', '--', 'echo', 'mine'])).toBe('mine\n');
  for (const args of [
    ['exec', '-n', 'blue', 'box-blue', '--', 'id'],
    ['get', 'pods', '-n', 'blue'],
    ['port-forward', '-n', 'blue', 'pod/box-blue', ':8888'],
  ]) {
    const refused = await kubectl.run(args);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toMatch(/[Ff]orbidden/);
  }
  const tunnel = kubectl.start([
    ...['port-forward', 'svc/sandbox-router-svc', ':8080', '-n', 'agent-sandbox-system'],
  ]);
  let printed = '';
  tunnel.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  await expect.poll(() => printed, { timeout: 20_000 }).toMatch(/Forwarding from/);
  const port = /127\.0\.0\.1:(\d+)/.exec(printed)?.[1];
  const through = (id: string, namespace: string) =>
    exchange(`http://127.0.0.1:${port}`, {
      path: '/exists/x',
      headers: { 'x-sandbox-id': id, 'x-sandbox-namespace': namespace },
    });
  expect((await through('box-red', 'red')).status).toBe(200);
  expect((await through('box-blue', 'blue')).status).not.toBe(200);
  tunnel.kill();
});
