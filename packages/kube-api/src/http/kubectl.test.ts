import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubectls, noKubectl } from '../testing/find-kubectl.ts';
import { ToyApi } from '../testing/toy-api.ts';

const run = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), 'kubectl-'));
const config = join(home, 'config.json');
const manifest = join(home, 'widget.json');
const env = { ...process.env, HOME: home, KUBECONFIG: config };

let toy: ToyApi;
beforeAll(async () => {
  toy = await ToyApi.start();
  const names = { cluster: 'toy', user: 'toy' };
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'toy',
      clusters: [{ name: 'toy', cluster: { server: toy.url } }],
      users: [{ name: 'toy', user: {} }],
      contexts: [{ name: 'toy', context: names }],
    }),
  );
  writeFileSync(
    manifest,
    JSON.stringify({
      apiVersion: 'example.org/v1',
      kind: 'Widget',
      metadata: { name: 'one' },
      spec: { size: 3 },
    }),
  );
});
afterAll(async () => {
  await toy[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const tools = kubectls.map((path) => ({ path, name: `${basename(join(path, '..'))}/kubectl` }));

describe
  .skipIf(tools.length === 0)
  .each(tools.length === 0 ? [{ path: '', name: noKubectl }] : tools)(
  'kubectl ($name)',
  ({ path }) => {
    const kubectl = async (...args: string[]) => (await run(path, args, { env })).stdout.trim();
    const fails = (...args: string[]) =>
      run(path, args, { env }).then(
        () => '',
        (error: { stderr: string }) => error.stderr,
      );

    test('makes, shows, changes and removes', async () => {
      expect(await kubectl('apply', '-f', manifest)).toBe('widget.example.org/one created');
      expect(await kubectl('apply', '-f', manifest)).toBe('widget.example.org/one unchanged');
      expect(await kubectl('get', 'wd')).toMatch(/^NAME +READY +SIZE +AGE\none +3 +\d+s$/);
      expect(await kubectl('get', 'wd', '-o', 'wide')).toMatch(/POLICY[^]*Keep/);
      expect(await kubectl('get', 'wd', 'one', '-o', 'yaml')).toContain('  size: 3');
      expect(await kubectl('describe', 'wd', 'one')).toMatch(/Size: +3/);
      const patch = ['patch', 'wd', 'one', '--type=merge', '-p', '{"spec":{"size":5}}'];
      expect(await kubectl(...patch)).toContain('patched');
      expect(await kubectl('scale', 'wd', 'one', '--replicas=6')).toContain('scaled');
      expect(await kubectl('label', 'wd', 'one', 'color=red')).toContain('labeled');
      expect(await kubectl('get', 'wd', '-l', 'color in (red)', '-A', '-o', 'name')).toBe(
        'widget.example.org/one',
      );
      expect(await fails('create', '-f', manifest)).toContain('(AlreadyExists)');
      expect(await fails('get', 'wd', 'none')).toContain('widgets.example.org "none" not found');
      expect(await kubectl('delete', 'wd', 'one')).toContain('widget.example.org "one" deleted');
    });

    test('watches and waits', async () => {
      const watch = spawn(path, ['get', 'wd', '-w', '-o', 'jsonpath={.spec.size} '], { env });
      let seen = '';
      watch.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      await pause(700);
      await kubectl('create', '-f', manifest);
      const grown = kubectl('wait', 'wd/one', '--for=jsonpath={.spec.size}=9', '--timeout=20s');
      const gone = kubectl('wait', 'wd/one', '--for=delete', '--timeout=20s');
      await pause(500);
      await kubectl('patch', 'wd', 'one', '--type=merge', '-p', '{"spec":{"size":9}}');
      expect(await grown).toContain('condition met');
      await kubectl('delete', 'wd', 'one');
      expect(await gone).toContain('condition met');
      const ended = once(watch, 'close');
      watch.kill();
      await ended;
      expect(seen).toMatch(/^3 9 /);
    }, 30_000);

    test('asks who it is and what it may do, and makes namespaces', async () => {
      expect(await kubectl('auth', 'can-i', 'create', 'widgets')).toBe('yes');
      expect(await kubectl('auth', 'can-i', '--list')).toContain('widgets.example.org');
      expect(await kubectl('auth', 'whoami')).toMatch(/Username +admin/);
      expect(await kubectl('create', 'namespace', 'made')).toContain('created');
      expect(await kubectl('delete', 'namespace', 'made')).toContain('deleted');
      expect(await kubectl('version')).toContain('+sandport');
    });
  },
);
