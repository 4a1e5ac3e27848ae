import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubectls, noKubectl } from '../testing/find-kubectl.ts';
import { kubectl } from '../testing/run-kubectl.ts';
import { ToyApi } from '../testing/toy-api.ts';

const widget = (fields: string, name = 'one') => `apiVersion: example.org/v1
kind: Widget
metadata: {name: ${name}}
spec: ${fields}
`;

const kubeconfig = (server: string) => `apiVersion: v1
kind: Config
clusters: [{name: toy, cluster: {server: "${server}"}}]
contexts: [{name: toy, context: {cluster: toy, user: toy, namespace: default}}]
users: [{name: toy, user: {}}]
current-context: toy
`;

describe.skipIf(kubectls.length === 0)(
  `kubectl without help${kubectls.length === 0 ? `: ${noKubectl}` : ''}`,
  () => {
    describe.each(kubectls.map((program) => [basename(program), program]))('%s', (_, program) => {
      let directory = '';
      let toy: ToyApi;

      beforeAll(async () => {
        directory = await mkdtemp(join(tmpdir(), 'toy-kubectl-'));
        toy = await ToyApi.start();
        await writeFile(join(directory, 'config'), kubeconfig(toy.url));
      });

      afterAll(async () => {
        await toy[Symbol.asyncDispose]();
        await rm(directory, { recursive: true });
      });

      const run = async (args: string, stdin = '') => {
        const result = await kubectl(
          { program, kubeconfig: join(directory, 'config'), webSocket: true },
          [...args.split(' '), '--cache-dir', join(directory, 'cache')],
          stdin,
        );
        return { ...result, stdout: result.stdout.toString() };
      };

      test('lists what there is', async () => {
        const { stdout } = await run('api-resources -o wide');
        expect(stdout).toMatch(/^widgets +wd +example\.org\/v1 +true +Widget .*get,list.* +all/m);
        expect((await run('api-versions')).stdout).toBe('example.org/v1\nv1\n');
      });

      test('explains fields', async () => {
        const { stdout } = await run('explain wd.spec');
        expect(stdout).toContain('What the widget should be.');
        expect(stdout).toMatch(/size\s<integer> -required-/);
        expect((await run('explain widgets.spec.ports --recursive')).stdout).toContain('protocol');
        expect((await run('explain pods')).stdout).toMatch(/KIND: +Pod/);
      });

      test('applies on its side, and sees when nothing changes', async () => {
        const apply = (fields: string) => run('apply -f -', widget(fields));
        expect((await apply('{size: 1, tags: [a]}')).stdout).toContain('created');
        expect((await apply('{size: 1, tags: [a]}')).stdout).toContain('unchanged');
        expect((await apply('{size: 2}')).stdout).toContain('configured');
        expect((await run('get wd one -o jsonpath={.spec}')).stdout).toBe(
          '{"policy":"Keep","size":2}',
        );
        const namespace =
          'apiVersion: v1\nkind: Namespace\nmetadata: {name: team, labels: {a: b}}\n';
        expect((await run('apply -f -', namespace)).stdout).toContain('created');
        const relabelled = await run('apply -f -', namespace.replace('a: b', 'c: d'));
        expect(relabelled.stdout).toContain('configured');
        expect((await run('get ns team -o jsonpath={.metadata.labels}')).stdout).toBe('{"c":"d"}');
      });

      test('applies on the server, with conflicts, and takes over what it applied itself', async () => {
        const apply = (fields: string, flags = '') =>
          run(`apply --server-side${flags} -f -`, widget(fields, 'two'));
        await run('apply -f -', widget('{size: 1, tags: [a]}', 'two'));
        expect((await apply('{size: 1, tags: [a]}')).stdout).toContain('serverside-applied');
        const { metadata } = JSON.parse(
          (await run('get wd two -o json --show-managed-fields')).stdout,
        ) as { metadata: { managedFields: { manager: string; operation: string }[] } };
        const managers = metadata.managedFields.map(
          (entry) => `${entry.manager} ${entry.operation}`,
        );
        expect(managers).not.toContain('kubectl-client-side-apply Update');
        expect(managers).toContain('kubectl Apply');
        const refused = await apply('{size: 3}', ' --field-manager other');
        expect(refused.exitCode).toBe(1);
        expect(refused.stderr).toMatch(/1 conflict: conflict with "kubectl".*: \.spec\.size/);
        const forced = await apply('{size: 3}', ' --field-manager other --force-conflicts');
        expect(forced.stdout).toContain('serverside-applied');
        expect((await apply('{size: 3}')).stdout).toContain('serverside-applied');
        expect((await run('get wd two -o jsonpath={.spec}')).stdout).toBe(
          '{"policy":"Keep","size":3}',
        );
      });

      test('patches', async () => {
        await run('apply -f -', widget('{size: 1}', 'three'));
        const patch = async (args: string) => run(`patch wd three ${args}`);
        const json = '--type=json -p [{"op":"replace","path":"/spec/size","value":5}]';
        expect((await patch(json)).stdout).toContain('patched');
        expect((await patch(json)).stdout).toContain('no change');
        expect((await patch('--type=merge -p {"spec":{"policy":"Drop"}}')).stdout).toContain(
          'patched',
        );
        expect((await patch('-p {"spec":{"size":6}}')).stderr).toContain('not supported');
        expect((await patch('--type=merge -p {"spec":{"size":4}}')).stderr).toContain(
          'size must not shrink',
        );
        expect((await run('label wd three a=b')).stdout).toContain('labeled');
        expect((await run('scale wd three --replicas=7')).stdout).toContain('scaled');
        expect((await run('get wd three')).stdout).toMatch(
          /^NAME +READY +SIZE +AGE\nthree +7 +\d+s\n$/,
        );
        expect((await run('get wd three -o wide')).stdout).toMatch(/SIZE +POLICY/);
        expect((await run('describe wd three')).stdout).toMatch(/Policy: +Drop/);
      });

      test('is told what is wrong', async () => {
        const create = (flags: string) =>
          run(`create${flags} -f -`, widget('{size: 1, sise: 2}', 'four'));
        expect((await create('')).stderr).toContain('unknown field "spec.sise"');
        const warned = await create(' --validate=warn');
        expect(warned.stderr).toContain('Warning: unknown field "spec.sise"');
        expect(warned.stdout).toContain('created');
        const wrong = await run('create -f -', widget('{size: x, policy: none}', 'five'));
        expect(wrong.stderr).toContain('The Widget "five" is invalid');
        expect(wrong.stderr).toContain('* spec.policy: Unsupported value: "none": supported');
        expect(wrong.stderr).toContain('* spec.size: Invalid value: "string"');
      });
    });
  },
);
