import { beforeAll, expect, test } from 'vitest';
import {
  agents,
  claimBody,
  claimReady,
  conditionOf,
  exchange,
  extensions,
  Kube,
  onEachIsolation,
  useDaemon,
  waitFor,
} from '../harness/index.ts';

// A range of its own: it finds it free again when it has been killed.
const used = useDaemon({ kubernetes: true, args: ['--pod-network', '127.100.0.0/16'] });
let kube: Kube;
beforeAll(async () => {
  kube = await Kube.of(used.daemon);
});

const claims = `${extensions('v1beta1')}/sandboxclaims`;
const sandboxes = `${agents('v1beta1')}/sandboxes`;

/** A template that runs on one isolation. */
const template = (name: string, isolation: string, spec: Record<string, unknown> = {}) => ({
  apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
  kind: 'SandboxTemplate',
  metadata: { name },
  spec: {
    podTemplate: {
      spec: {
        runtimeClassName: isolation === 'gvisor' ? 'gvisor' : 'runc',
        containers: [{ name: 'main', image: 'base', ...spec }],
      },
    },
  },
});

/** Runs a command by the router. */
async function run(sandbox: string, command: string) {
  const answer = await exchange(used.daemon.url, {
    method: 'POST',
    path: '/agent-sandbox/router/execute',
    headers: {
      authorization: `Bearer ${used.daemon.apiKey}`,
      'content-type': 'application/json',
      'x-sandbox-id': sandbox,
    },
    body: JSON.stringify({ command }),
  });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.body.toString()) as {
    stdout: string;
    stderr: string;
    exit_code: number;
  };
}

const gone = (path: string) =>
  waitFor(async () => (await kube.send('GET', path)).status === 404, {
    timeoutMs: 20_000,
    what: `the end of ${path}`,
  });

onEachIsolation(used, (isolation) => {
  test('a claim becomes a sandbox whose first command succeeds', async () => {
    const name = `whole-${isolation}`;
    await kube.object(
      201,
      'POST',
      `${extensions('v1beta1')}/sandboxtemplates`,
      template(name, isolation, {
        env: [{ name: 'COLOUR', value: 'red' }],
        resources: { limits: { memory: '256Mi', cpu: '500m' } },
      }),
    );
    const claim = await claimReady(kube, name, `shadow-pool-${name}`);
    const sandboxName = claim.status?.sandbox?.name ?? '';
    expect(await run(sandboxName, 'echo $COLOUR; pwd; id -un')).toEqual(
      expect.objectContaining({ stdout: 'red\n/home/user\nuser\n', exit_code: 0 }),
    );
    const sandbox = await kube.object(200, 'GET', `${sandboxes}/${sandboxName}`);
    expect(conditionOf(sandbox)).toMatchObject({ status: 'True', reason: 'DependenciesReady' });
    expect(sandbox.status?.podIPs).toEqual(claim.status?.sandbox?.podIPs);
    expect(sandbox.status?.podIPs?.[0]).toMatch(/^127\./);
    expect(sandbox.status).toMatchObject({
      selector: expect.stringMatching(/^agents\.x-k8s\.io\/sandbox-name-hash=[0-9a-f]+$/),
    });
    const [native] = await used.api.list();
    expect(native).toMatchObject({ name: sandboxName, isolation, memory_mb: 256, cpu: 0.5 });
    await kube.send('DELETE', `${claims}/${name}`);
    await gone(`${claims}/${name}`);
    await gone(`${sandboxes}/${sandboxName}`);
    await waitFor(async () => (await used.api.list()).length === 0, { what: 'its end' });
  });

  test('suspending frees the memory and keeps the files; resuming brings it back', async () => {
    const name = `sleeper-${isolation}`;
    await kube.object(201, 'POST', sandboxes, {
      apiVersion: 'agents.x-k8s.io/v1beta1',
      kind: 'Sandbox',
      metadata: { name },
      spec: template(name, isolation).spec,
    });
    const selected = `${sandboxes}?fieldSelector=metadata.name%3D${name}`;
    await kube.until(selected, (object) => conditionOf(object)?.status === 'True');
    await run(name, 'echo kept > /home/user/note');
    const mode = (operatingMode: string) =>
      kube.object(
        200,
        'PATCH',
        `${sandboxes}/${name}`,
        { spec: { operatingMode } },
        { 'content-type': 'application/merge-patch+json' },
      );
    await mode('Suspended');
    const asleep = await kube.until(
      selected,
      (object) => conditionOf(object)?.reason === 'SandboxSuspended',
    );
    expect(conditionOf(asleep)?.status).toBe('False');
    expect((await used.api.list())[0]?.status).toBe('hibernated');
    await mode('Running');
    await kube.until(selected, (object) => conditionOf(object)?.status === 'True');
    expect((await run(name, 'cat note')).stdout).toBe('kept\n');
    await kube.send('DELETE', `${sandboxes}/${name}`);
    await gone(`${sandboxes}/${name}`);
  });
});

test('what cannot be had is said by its condition', async () => {
  const reasonOf = async (path: string, body: Record<string, unknown>) => {
    const made = await kube.object(201, 'POST', path, body);
    const object = await kube.until(
      `${path}?fieldSelector=metadata.name%3D${made.metadata.name}`,
      (each) =>
        conditionOf(each)?.status === 'False' && conditionOf(each)?.reason !== 'SandboxMissing',
    );
    await kube.send('DELETE', `${path}/${made.metadata.name}`);
    return conditionOf(object)?.reason;
  };
  expect(await reasonOf(claims, claimBody('no-pool', 'no-such-pool'))).toBe('WarmPoolNotFound');
  const old = `${extensions('v1alpha1')}/sandboxclaims`;
  const template = {
    apiVersion: 'extensions.agents.x-k8s.io/v1alpha1',
    kind: 'SandboxClaim',
    metadata: { name: 'no-template' },
    spec: { sandboxTemplateRef: { name: 'no-such-template' } },
  };
  expect(await reasonOf(old, template)).toBe('TemplateNotFound');
  const env = { env: [{ name: 'A', value: 'b' }] };
  const strict = {
    apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
    kind: 'SandboxTemplate',
    metadata: { name: 'strict' },
    spec: { podTemplate: { spec: { containers: [{ name: 'main', image: 'base' }] } } },
  };
  await kube.object(201, 'POST', `${extensions('v1beta1')}/sandboxtemplates`, strict);
  expect(await reasonOf(claims, claimBody('injected', 'shadow-pool-strict', env))).toBe(
    'EnvVarsInjectionRejected',
  );
});

test('the end of its time deletes or keeps the claim, and ends the sandbox', async () => {
  const soon = () => `${new Date(Date.now() + 3000).toISOString().slice(0, 19)}Z`;
  await claimReady(kube, 'goes', 'base', {
    lifecycle: { shutdownTime: soon(), shutdownPolicy: 'Delete' },
  });
  await gone(`${claims}/goes`);
  await claimReady(kube, 'stays', 'base', {
    lifecycle: { shutdownTime: soon(), shutdownPolicy: 'Retain' },
  });
  const kept = await kube.until(
    `${claims}?fieldSelector=metadata.name%3Dstays`,
    (object) => conditionOf(object)?.status === 'False',
  );
  expect(conditionOf(kept)?.reason).toBe('ClaimExpired');
  await waitFor(async () => (await used.api.list()).length === 0, {
    timeoutMs: 20_000,
    what: 'the end of the sandbox',
  });
  await kube.send('DELETE', `${claims}/stays`);
});

test('a claim takes a sandbox that waits, and the pool is filled again', async () => {
  const pools = `${extensions('v1beta1')}/sandboxwarmpools`;
  await kube.object(201, 'POST', pools, {
    apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
    kind: 'SandboxWarmPool',
    metadata: { name: 'warm' },
    spec: { replicas: 2, sandboxTemplateRef: { name: 'base' } },
  });
  const full = () =>
    kube.until(
      `${pools}?fieldSelector=metadata.name%3Dwarm`,
      (object) => object.status?.readyReplicas === 2,
    );
  await full();
  const claim = await claimReady(kube, 'taker', 'warm');
  const [taken] = await used.api.list();
  expect(taken).toMatchObject({ boot_mode: 'pool', name: claim.status?.sandbox?.name });
  await full();
  await kube.send('DELETE', `${claims}/taker`);
  await kube.send('DELETE', `${pools}/warm`);
  await waitFor(async () => (await used.api.pools()).every(({ size }) => size === 0), {
    what: 'the end of the pool',
  });
});

test('claims, their sandboxes and their files survive kill -9', async () => {
  const claim = await claimReady(kube, 'survivor');
  const name = claim.status?.sandbox?.name ?? '';
  await run(name, 'echo still here > note');
  const before = await kube.object(200, 'GET', `${sandboxes}/${name}`);
  await used.daemon.kill9();
  await used.daemon.start();
  kube[Symbol.dispose]();
  kube = await Kube.of(used.daemon);
  const after = await kube.until(
    `${sandboxes}?fieldSelector=metadata.name%3D${name}`,
    (object) => conditionOf(object)?.status === 'True',
  );
  expect(after.metadata.uid).toBe(before.metadata.uid);
  expect(after.status?.podIPs).toEqual(before.status?.podIPs);
  expect((await run(name, 'cat note')).stdout).toBe('still here\n');
  await kube.send('DELETE', `${claims}/survivor`);
  await gone(`${sandboxes}/${name}`);
  await waitFor(async () => (await used.api.list()).length === 0, { what: 'its end' });
});
