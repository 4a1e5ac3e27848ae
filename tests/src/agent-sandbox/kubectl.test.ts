import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  kubeconfigOf,
  Kubectl,
  kubectls,
  noKubectl,
  testRun,
  useDaemon,
} from '../harness/index.ts';

const used = useDaemon({ kubernetes: true });

const upstreamTemplate = (name: string) => `
apiVersion: extensions.agents.x-k8s.io/v1alpha1
kind: SandboxTemplate
metadata:
  name: ${name}
spec:
  podTemplate:
    metadata:
      labels:
        sandbox: my-python-sandbox
    spec:
      nodeSelector:
        disk: ssd
      containers:
      - name: python-runtime
        image: us-central1-docker.pkg.dev/k8s-staging-images/agent-sandbox/python-runtime-sandbox:latest-main
        ports:
        - containerPort: 8888
        resources:
          requests:
            cpu: 250m
            memory: 512Mi
  networkPolicy:
    egress:
    - to:
      - podSelector: {}
`;

const claim = (name: string, pool: string) => `
apiVersion: extensions.agents.x-k8s.io/v1beta1
kind: SandboxClaim
metadata:
  name: ${name}
  labels: {app: web}
spec:
  warmPoolRef:
    name: ${pool}
`;

if (kubectls.length === 0) test('kubectl', (context) => context.skip(noKubectl));

describe.each(kubectls.map((program, at) => ({ program, id: `k${at}` })))(
  '$program',
  ({ program, id }) => {
    let kubectl: Kubectl;
    let folder: string;
    const template = `python-${id}`;
    const box = `box-${id}`;

    beforeAll(() => {
      folder = mkdtempSync(join(testRun().tempDir, 'kubectl-'));
      kubectl = new Kubectl(program, kubeconfigOf(used.daemon));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('says what there is', async () => {
      const resources = await kubectl.out(['api-resources']);
      for (const kind of ['Sandbox', 'SandboxClaim', 'SandboxTemplate', 'SandboxWarmPool', 'Pod'])
        expect(resources).toMatch(new RegExp(`\\b${kind}\\b`));
      expect(resources).toContain('swp');
      expect(await kubectl.out(['version'])).toMatch(/Server Version: v1\.\d+/);
      expect(await kubectl.out(['explain', 'sandboxclaim.spec.lifecycle'])).toContain(
        'shutdownPolicy',
      );
      expect(
        await kubectl.out([
          ...['explain', 'sandbox.spec'],
          ...['--api-version', 'agents.x-k8s.io/v1alpha1'],
        ]),
      ).toContain('replicas');
      expect(await kubectl.out(['auth', 'can-i', 'create', 'sandboxclaims'])).toBe('yes\n');
      expect(await kubectl.out(['get', 'namespaces'])).toContain('default');
    });

    test('an upstream template is applied, and what one machine cannot give is named', async () => {
      const applied = await kubectl.run(['apply', '-f', '-'], upstreamTemplate(template));
      expect(applied.stdout).toContain(
        `sandboxtemplate.extensions.agents.x-k8s.io/${template} created`,
      );
      expect(applied.stderr).toContain('nodeSelector');
      expect(applied.stderr).toContain(
        'Warning: spec.networkPolicy.egress[0].to[0].podSelector opens nothing',
      );
      const revision = () =>
        kubectl.out([
          ...['get', 'sandboxtemplate', template],
          ...['-o', 'jsonpath={.metadata.resourceVersion}'],
        ]);
      const before = await revision();
      const again = await kubectl.run(['apply', '-f', '-'], upstreamTemplate(template));
      expect(again.exitCode).toBe(0);
      expect(await revision()).toBe(before);
      const converted = await kubectl.out([
        ...['get', 'sandboxtemplates.v1beta1.extensions.agents.x-k8s.io', template, '-o', 'yaml'],
      ]);
      expect(converted).toContain('apiVersion: extensions.agents.x-k8s.io/v1beta1');
      expect(converted).toContain('python-runtime-sandbox');
    });

    test('a claim is made, waited for, described, listed and deleted', async () => {
      await kubectl.out(['create', '-f', '-'], claim(box, `shadow-pool-${template}`));
      await kubectl.out(['wait', `sandboxclaim/${box}`, '--for=condition=Ready', '--timeout=60s']);
      expect(await kubectl.out(['get', 'sandboxclaims'])).toMatch(
        new RegExp(`NAME +READY +SANDBOX +REASON +AGE\\n${box} +True +${box} `),
      );
      expect(await kubectl.out(['get', 'sandbox', box, '-o', 'wide'])).toContain(
        'DependenciesReady',
      );
      expect(await kubectl.out(['get', 'pods', '-o', 'wide'])).toMatch(
        new RegExp(`${box} +1/1 +Running`),
      );
      const described = await kubectl.out(['describe', 'sandbox', box]);
      expect(described).toMatch(/Events:[\s\S]*Created/);
      expect(await kubectl.out(['get', 'sandboxclaims', '-l', 'app=web', '-o', 'name'])).toBe(
        `sandboxclaim.extensions.agents.x-k8s.io/${box}\n`,
      );
      expect(await kubectl.out(['get', 'sandboxclaims', '-l', 'app!=web', '-o', 'name'])).toBe('');
      expect(
        await kubectl.out(['get', 'sandbox', box, '-o', 'jsonpath={.status.podIPs[0]}']),
      ).toMatch(/^127\./);
    });

    test('commands run in its pod, with input, output and exit codes', async () => {
      expect(await kubectl.out(['exec', box, '--', 'echo', 'hello'])).toBe('hello\n');
      const failed = await kubectl.run(['exec', box, '--', 'sh', '-c', 'echo bad >&2; exit 7']);
      expect(failed).toMatchObject({ exitCode: 7, stdout: '' });
      expect(failed.stderr).toContain('bad\n');
      const bytes = Buffer.alloc(300_000, 'abcdefg\n');
      const counted = await kubectl.out(['exec', '-i', box, '--', 'wc', '-c'], bytes);
      expect(counted.trim()).toBe('300000');
      const spdy = new Kubectl(program, kubeconfigOf(used.daemon), {
        KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false',
      });
      expect(await spdy.out(['exec', '-i', box, '--', 'wc', '-c'], bytes)).toBe(counted);
      const missing = await kubectl.run(['exec', box, '--', 'no-such-program']);
      expect(missing.exitCode).not.toBe(0);
      expect(missing.stderr).toContain('no-such-program');
    });

    test('files are copied into its pod and out of it', async () => {
      const data = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 256));
      writeFileSync(join(folder, 'data.bin'), data);
      await kubectl.out(['cp', join(folder, 'data.bin'), `${box}:/home/user/data.bin`]);
      await kubectl.out(['cp', `${box}:/home/user/data.bin`, join(folder, 'back.bin')]);
      expect(readFileSync(join(folder, 'back.bin')).equals(data)).toBe(true);
    });

    test('fields are owned by who applies them', async () => {
      const apply = (manager: string, value: string, ...flags: string[]) =>
        kubectl.run(
          ['apply', '--server-side', `--field-manager=${manager}`, ...flags, '-f', '-'],
          `${claim(`owned-${id}`, 'base')}\n`.replace('{app: web}', `{app: ${value}}`),
        );
      expect((await apply('one', 'a')).exitCode).toBe(0);
      const conflict = await apply('two', 'b');
      expect(conflict.exitCode).not.toBe(0);
      expect(conflict.stderr).toMatch(/conflict with "one".*\.metadata\.labels\.app/s);
      expect((await apply('two', 'b', '--force-conflicts')).exitCode).toBe(0);
      await kubectl.out(['delete', 'sandboxclaim', `owned-${id}`]);
    });

    test('patches change what they name, and mistakes are told', async () => {
      await kubectl.out(['label', 'sandboxclaim', box, 'tier=gold']);
      await kubectl.out([
        ...['patch', 'sandboxclaim', box, '--type=json'],
        ...['-p', '[{"op":"replace","path":"/metadata/labels/tier","value":"silver"}]'],
      ]);
      expect(
        await kubectl.out(['get', 'sandboxclaim', box, '-o', 'jsonpath={.metadata.labels.tier}']),
      ).toBe('silver');
      const wrong = await kubectl.run(
        ['apply', '-f', '-'],
        claim(`wrong-${id}`, 'base').replace('spec:', 'spec:\n  noSuchField: 1'),
      );
      expect(wrong.exitCode).not.toBe(0);
      expect(wrong.stderr).toContain('unknown field "spec.noSuchField"');
      const invalid = await kubectl.run([
        ...['patch', 'sandboxclaim', box, '--type=merge'],
        ...['-p', '{"spec":{"lifecycle":{"shutdownPolicy":"Sometimes"}}}'],
      ]);
      expect(invalid.stderr).toMatch(/shutdownPolicy: Unsupported value: "Sometimes"/);
    });

    test('a pool is scaled', async () => {
      await kubectl.out(
        ['apply', '-f', '-'],
        `
apiVersion: extensions.agents.x-k8s.io/v1beta1
kind: SandboxWarmPool
metadata: {name: pool-${id}}
spec: {replicas: 0, sandboxTemplateRef: {name: ${template}}}
`,
      );
      await kubectl.out(['scale', 'sandboxwarmpool', `pool-${id}`, '--replicas=1']);
      await kubectl.out([
        ...['wait', `swp/pool-${id}`, '--for=jsonpath={.status.readyReplicas}=1'],
        '--timeout=60s',
      ]);
      await kubectl.out(['delete', 'swp', `pool-${id}`]);
    });

    test('watches show what happens, and deletion is waited for', async () => {
      const watching = kubectl.start(['get', 'sandboxclaims', '-w', '--output-watch-events']);
      let printed = '';
      watching.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      await expect.poll(() => printed).toContain(`ADDED`);
      expect(await kubectl.out(['delete', 'sandboxclaim', box])).toContain('deleted');
      await expect.poll(() => printed).toMatch(new RegExp(`DELETED +${box}`));
      watching.kill();
      expect((await kubectl.run(['get', 'pod', box])).stderr).toContain('NotFound');
      await kubectl.out(['delete', 'sandboxtemplate', template]);
    });
  },
);
