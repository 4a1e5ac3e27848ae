import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  agents,
  claimReady,
  conditionOf,
  extensions,
  Kube,
  layer,
  registryProgram,
  startRegistry,
  staticProgram,
  testRun,
  type TestRegistry,
  useDaemon,
  waitFor,
  writeLayout,
} from '../harness/index.ts';

const room = mkdtempSync(join(testRun().tempDir, 'pod-templates-'));
const used = useDaemon({ kubernetes: true });
let kube: Kube;
let registry: TestRegistry | undefined;
beforeAll(async () => {
  kube = await Kube.of(used.daemon);
  if (registryProgram().path !== undefined) registry = await startRegistry(join(room, 'registry'));
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await rm(room, { recursive: true, force: true });
});

const templates = `${extensions('v1beta1')}/sandboxtemplates`;
const claims = `${extensions('v1beta1')}/sandboxclaims`;
const sandboxes = `${agents('v1beta1')}/sandboxes`;

const template = (
  name: string,
  pod: Record<string, unknown>,
  annotations: Record<string, string> = {},
) => ({
  apiVersion: 'extensions.agents.x-k8s.io/v1beta1',
  kind: 'SandboxTemplate',
  metadata: { name, annotations },
  spec: { podTemplate: { spec: pod } },
});

test('what one machine has not is told in warnings', async () => {
  const { status, headers } = await kube.send(
    'POST',
    templates,
    template('warned', {
      nodeSelector: { disk: 'ssd' },
      priorityClassName: 'high',
      containers: [{ name: 'main', image: 'base', command: ['serve'] }],
    }),
  );
  expect(status).toBe(201);
  const warnings = String(headers['warning']);
  for (const field of ['nodeSelector', 'priorityClassName', 'containers[0].command'])
    expect(warnings).toContain(`299 - "spec.podTemplate.spec.${field} has no effect`);
});

test('what must not be lost silently is refused, with its field', async () => {
  const answer = await kube.send(
    'POST',
    templates,
    template('refused', {
      hostNetwork: true,
      runtimeClassName: 'kata',
      containers: [{ name: 'main', image: 'base', securityContext: { privileged: true } }],
      volumes: [{ name: 'host', hostPath: { path: '/' } }],
    }),
  );
  expect(answer).toMatchObject({ status: 422, body: { reason: 'Invalid' } });
  const { details } = answer.body as { details: { causes: { field: string }[] } };
  expect(details.causes.map(({ field }) => field.replace('spec.podTemplate.spec.', ''))).toEqual([
    'hostNetwork',
    'runtimeClassName',
    'containers[0].securityContext.privileged',
    'volumes[0].hostPath',
  ]);
});

test('an image of a registry becomes a template', async (context) => {
  if (registry === undefined) return context.skip(registryProgram().missing);
  const layout = writeLayout(join(room, 'image'), {
    layers: [layer({ name: 'show', content: staticProgram(), mode: 0o755 })],
    config: { Env: ['GREETING=hello'] },
  });
  const image = await registry.push(layout, 'team/tool:1.0');
  const insecure = { 'sandport.dev/insecure-registry': 'true' };
  const pod = { containers: [{ name: 'main', image }] };
  await kube.object(201, 'POST', templates, template('tool', pod, insecure));
  const claim = await claimReady(kube, 'tool-one', 'tool');
  const name = claim.status?.sandbox?.name ?? '';
  const { id } = (await used.api.list())[0] ?? { id: '' };
  const { stdout } = await used.api.execFields(id, { args: ['/show', 'GREETING'] });
  expect(stdout).toContain('hello');
  const listed = (await used.api.send('GET', '/v1/templates')).body.toString();
  const [built = ''] = /image-tool-1.0-[0-9a-f]{12}/.exec(listed) ?? [];
  expect(built).not.toBe('');
  const events = await kube.send('GET', '/api/v1/namespaces/default/events');
  expect(JSON.stringify(events.body)).toContain(`Image \\"${image}\\" is the template`);
  await kube.send('DELETE', `${claims}/${name}`);
  await waitFor(async () => (await used.api.list()).length === 0, { what: 'its end' });
  // The directory of the templates is shared with other tests.
  expect((await used.api.send('DELETE', `/v1/templates/${built}`)).status).toBe(204);
});

test('an image that cannot be had is told by a condition', async (context) => {
  if (registry === undefined) return context.skip(registryProgram().missing);
  const image = `${registry.address}/team/none:1`;
  const insecure = { 'sandport.dev/insecure-registry': 'true' };
  await kube.object(201, 'POST', sandboxes, {
    apiVersion: 'agents.x-k8s.io/v1beta1',
    kind: 'Sandbox',
    metadata: { name: 'none', annotations: insecure },
    spec: { podTemplate: { spec: { containers: [{ name: 'main', image }] } } },
  });
  const failed = await kube.until(
    `${sandboxes}?fieldSelector=metadata.name%3Dnone`,
    (object) => conditionOf(object)?.reason === 'TemplateBuildFailed',
  );
  expect(conditionOf(failed)?.message).toMatch(/image-none-1-[0-9a-f]+.*manifest unknown/);
  await kube.send('DELETE', `${sandboxes}/none`);
});

test('volumes, directories, variables and limits are those of the pod template', async () => {
  await kube.object(201, 'POST', sandboxes, {
    apiVersion: 'agents.x-k8s.io/v1beta1',
    kind: 'Sandbox',
    metadata: { name: 'whole' },
    spec: {
      podTemplate: {
        spec: {
          containers: [
            {
              name: 'main',
              image: 'base',
              env: [
                { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                { name: 'ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              ],
              resources: { limits: { memory: '256Mi', cpu: '500m' } },
              volumeMounts: [
                { name: 'data', mountPath: '/data' },
                { name: 'scratch', mountPath: '/scratch' },
              ],
            },
          ],
          volumes: [{ name: 'scratch', emptyDir: {} }],
        },
      },
      volumeClaimTemplates: [
        { metadata: { name: 'data' }, spec: { resources: { requests: { storage: '64Mi' } } } },
      ],
    },
  });
  const selected = `${sandboxes}?fieldSelector=metadata.name%3Dwhole`;
  const ready = await kube.until(selected, (object) => conditionOf(object)?.status === 'True');
  const [{ id } = { id: '' }] = await used.api.list();
  const show = async (command: string) =>
    (await used.api.execFields(id, { args: ['sh', '-c', command] })).stdout;
  expect(await show('echo $NAME $ADDRESS')).toBe(`whole ${ready.status?.podIPs?.[0]}\n`);
  expect(await show('echo kept > /data/file; touch /scratch/mine; stat -c %U /scratch')).toBe(
    'user\n',
  );
  const pods = '/api/v1/namespaces/default/pods';
  const uidOf = async () => {
    const { body } = await kube.send('GET', `${pods}/whole`);
    return (body as { metadata?: { uid?: string } }).metadata?.uid;
  };
  const uid = await uidOf();
  expect(uid).toEqual(expect.any(String));
  await kube.send('DELETE', `${pods}/whole`);
  await waitFor(async () => ![undefined, uid].includes(await uidOf()), {
    timeoutMs: 20_000,
    what: 'another pod',
  });
  await kube.until(selected, (object) => conditionOf(object)?.status === 'True');
  const [{ id: anew } = { id: '' }] = await used.api.list();
  expect(anew).not.toBe(id);
  const read = await used.api.execFields(anew, {
    args: ['sh', '-c', 'cat /data/file; ls /scratch'],
  });
  expect(read.stdout).toBe('kept\n');
  await kube.send('DELETE', `${sandboxes}/whole`);
  const volumes = async () => (await used.api.send('GET', '/v1/volumes')).body.toString();
  await expect.poll(volumes, { timeout: 20_000 }).not.toContain('data-whole');
});
