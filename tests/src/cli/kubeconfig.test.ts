import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Kubectl, kubectls, noKubectl, testRun, useDaemon } from '../harness/index.ts';
import { runSandport } from './run-sandport.ts';

const used = useDaemon({ kubernetes: true });
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(testRun().tempDir, 'home-'));
});
afterEach(() => rm(home, { recursive: true }));

const sandport = async (args: readonly string[], env: Record<string, string> = {}) => {
  const found = await runSandport(used, ['kubeconfig', ...args], { env: { HOME: home, ...env } });
  return { ...found, stdout: found.stdout.toString() };
};
const inHome = (name: string) => join(home, name);
const modeOf = (file: string) => statSync(file).mode & 0o777;
const keyOf = async (...namespaces: string[]): Promise<string> => {
  const body = JSON.stringify({ namespaces });
  const answer = await used.api.send('POST', '/v1/keys', { body });
  return String(Reflect.get(Object(JSON.parse(answer.body.toString())), 'api_key'));
};

describe.skipIf(kubectls.length === 0)('with kubectl', () => {
  test.each(kubectls)('%s works with what is printed', async (program) => {
    const { stdout, stderr, exitCode } = await sandport([]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    writeFileSync(inHome('config'), stdout, { mode: 0o600 });
    const kubectl = new Kubectl(program, inHome('config'));
    expect(await kubectl.out(['get', '--raw', '/readyz'])).toBe('ok');
    expect(await kubectl.out(['version'])).toContain('+sandport');
    expect(await kubectl.out(['get', 'sandboxes,sandboxclaims'])).toBe('');
    writeFileSync(inHome('json'), (await sandport(['--json'])).stdout);
    expect(await new Kubectl(program, inHome('json')).out(['get', 'sandboxes'])).toBe('');
  });

  test('a wrong authority and a wrong token are refused', async () => {
    const [program = ''] = kubectls;
    const { stdout } = await sandport([]);
    writeFileSync(inHome('token'), stdout.replace(/token: .*/, 'token: sp_wrong'));
    const wrongToken = await new Kubectl(program, inHome('token')).run(['get', 'sandboxes']);
    expect(wrongToken).toMatchObject({ exitCode: 1, stdout: '' });
    expect(wrongToken.stderr).toMatch(/Unauthorized|logged in/);
    const withoutAuthority = stdout.replace(/^ +certificate-authority-data: .*\n/m, '');
    writeFileSync(inHome('ca'), withoutAuthority);
    const untrusted = await new Kubectl(program, inHome('ca')).run(['get', 'sandboxes']);
    expect(untrusted.stderr).toContain('certificate signed by unknown authority');
  });

  test('a key of --restrict works in its namespace only, until it is removed', async () => {
    const [program = ''] = kubectls;
    const file = inHome('ci');
    const made = await sandport(['--restrict', '--namespace', 'ci', '--output', file]);
    expect(made).toMatchObject({ stdout: '', exitCode: 0 });
    expect(modeOf(file)).toBe(0o600);
    const kubectl = new Kubectl(program, file);
    expect((await kubectl.run(['get', 'sandboxes'])).exitCode).toBe(0);
    const elsewhere = await kubectl.run(['get', 'sandboxes', '--namespace', 'default']);
    expect(elsewhere).toMatchObject({ exitCode: 1 });
    expect(elsewhere.stderr).toContain('Forbidden');
    const id = /^Key (\w+) is for the namespace ci only/m.exec(made.stderr)?.[1] ?? '';
    const keys = JSON.parse((await used.api.send('GET', '/v1/keys')).body.toString());
    expect(keys).toContainEqual(
      expect.objectContaining({ id, label: 'kubeconfig ci', namespaces: ['ci'] }),
    );
    await used.api.send('DELETE', `/v1/keys/${id}`);
    expect((await kubectl.run(['get', 'sandboxes'])).exitCode).toBe(1);
  });
});
if (kubectls.length === 0) test.skip(noKubectl, () => {});

test('merges into the first file of KUBECONFIG, and into ~/.kube/config without it', async () => {
  const first = inHome('first');
  const KUBECONFIG = `:${first}:${inHome('second')}`;
  const merged = await sandport(['--merge', '--namespace', 'team'], { KUBECONFIG });
  expect(merged).toMatchObject({ stdout: '', exitCode: 0 });
  expect(merged.stderr).toContain(`into ${first}. It is the current context.`);
  expect(modeOf(first)).toBe(0o600);
  expect(readFileSync(first, 'utf8')).toContain('namespace: team');
  expect((await sandport(['--merge'])).exitCode).toBe(0);
  const own = inHome('.kube/config');
  expect(modeOf(own)).toBe(0o600);
  expect(modeOf(inHome('.kube'))).toBe(0o700);
  expect((await readdir(home)).sort()).toEqual(['.kube', 'first']);
  expect(await readdir(inHome('.kube'))).toEqual(['config']);
});

const old = `# mine
clusters:
  - name: old # kept
    cluster: { server: https://old }
contexts: [{ name: old, context: { cluster: old, user: old } }]
users: []
current-context: old
`;

test('keeps what is there, and its current context unless told otherwise', async () => {
  const target = inHome('real');
  const file = inHome('link');
  writeFileSync(target, old);
  chmodSync(target, 0o644);
  symlinkSync('real', file);
  const merged = await sandport(['--merge', '--output', file, '--context', 'box']);
  expect(merged.stderr).toContain('The current context stays old; add --use to change it.');
  const text = readFileSync(target, 'utf8');
  for (const kept of ['# mine', 'name: old # kept', 'server: https://old', 'current-context: old'])
    expect(text).toContain(kept);
  expect(text).toContain('name: box');
  expect(modeOf(target)).toBe(0o600);
  const use = ['--merge', '--use', '--output', file, '--context', 'box'];
  const used = await sandport([...use, '--json']);
  expect(JSON.parse(used.stdout)).toEqual({
    file,
    context: 'box',
    namespace: 'default',
    current_context: 'box',
  });
  const [program] = kubectls;
  if (program === undefined) return;
  const contexts = await new Kubectl(program, file).out(['config', 'get-contexts', '-o', 'name']);
  expect(contexts.trim().split('\n').sort()).toEqual(['box', 'old']);
});

test('many merges at once lose nothing', async () => {
  const file = inHome('config');
  writeFileSync(file, old);
  const names = ['a', 'b', 'c', 'd'];
  const ends = await Promise.all(
    names.map((name) => sandport(['--merge', '--output', file, '--context', name])),
  );
  expect(ends.map(({ stderr, exitCode }) => (exitCode === 0 ? 'merged' : stderr))).toEqual(
    names.map(() => 'merged'),
  );
  for (const name of names) expect(readFileSync(file, 'utf8')).toContain(`- name: ${name}\n`);
});

test('a broken file, and one that another program holds, stay as they are', async () => {
  const file = inHome('config');
  writeFileSync(file, 'clusters:\n  - name: x\n bad: {\n');
  const broken = await sandport(['--merge', '--output', file]);
  expect(broken).toMatchObject({ stdout: '', exitCode: 1 });
  expect(broken.stderr).toContain(`${file} is not a kubeconfig: line 3`);
  writeFileSync(file, old);
  writeFileSync(`${file}.lock`, '');
  const held = await sandport(['--merge', '--output', file]);
  expect(held).toMatchObject({ exitCode: 1 });
  expect(held.stderr).toContain(`${file}.lock`);
  expect(readFileSync(file, 'utf8')).toBe(old);
});

test('--output writes a new file, or anew one with nothing else in it', async () => {
  const file = inHome('config');
  expect((await sandport(['--output', file])).exitCode).toBe(0);
  expect((await sandport(['--output', file, '--namespace', 'other'])).exitCode).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('namespace: other');
  writeFileSync(file, old);
  const refused = await sandport(['--output', file, '--restrict', '--namespace', 'taken-back']);
  expect(refused).toMatchObject({ exitCode: 1 });
  expect(refused.stderr).toContain('add --merge');
  expect(readFileSync(file, 'utf8')).toBe(old);
  const keys = (await used.api.send('GET', '/v1/keys')).body.toString();
  expect(keys).not.toContain('taken-back');
});

test('a key bound to namespaces gets a context in one of them, and no other', async () => {
  const SANDPORT_API_KEY = await keyOf('b-team', 'a-team');
  const printed = await sandport([], { SANDPORT_API_KEY });
  expect(printed.stdout).toMatch(/namespace: (a|b)-team/);
  expect(printed.stdout).toContain(`token: ${SANDPORT_API_KEY}`);
  const refused = await sandport(['--namespace', 'default'], { SANDPORT_API_KEY });
  expect(refused).toMatchObject({ stdout: '', exitCode: 1 });
  expect(refused.stderr).toMatch(/may not use the namespace "default"; it may use: /);
  const key = await sandport(['--restrict', '--namespace', 'a-team'], { SANDPORT_API_KEY });
  expect(key).toMatchObject({ stdout: '', exitCode: 1 });
  expect(key.stderr).toContain('administrator');
});

test.each([[['--namespace', 'A_B']], [['--use']], [['--context', 'a b']]])(
  '%j is wrong usage',
  async (args) => {
    expect(await sandport(args)).toMatchObject({ stdout: '', exitCode: 2 });
  },
);

describe('a daemon with --kubernetes-listen off', () => {
  const off = useDaemon({ kubernetes: true, args: ['--kubernetes-listen', 'off'] });

  test('has nothing of it, and says so', async () => {
    const found = await runSandport(off, ['kubeconfig']);
    expect(found).toMatchObject({ exitCode: 3 });
    expect(found.stderr).toContain('--kubernetes-listen');
    const router = await off.api.send('GET', '/agent-sandbox/router/healthz');
    expect(router.status).toBe(404);
    expect(await readdir(off.daemon.dataDir)).not.toContain('kubernetes');
  });
});
