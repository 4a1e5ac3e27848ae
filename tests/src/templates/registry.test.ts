import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  build,
  buildWell,
  codeOf,
  type ImageSpec,
  layer,
  registryProgram,
  registryUser,
  startRegistry,
  staticProgram,
  type TestRegistry,
  testRun,
  useDaemon,
  waitFor,
  writeLayout,
} from '../harness/index.ts';

const room = mkdtempSync(join(testRun().tempDir, 'registry-'));
const templatesDir = join(room, 'templates');
const used = useDaemon({
  env: { SANDPORT_TEMPLATES_DIR: templatesDir },
  args: ['--prepare', 'none'],
});
const registry = registryProgram();
let open: TestRegistry;
let locked: TestRegistry;
beforeAll(async () => {
  if (registry.path === undefined) return;
  open = await startRegistry(join(room, 'open'));
  locked = await startRegistry(join(room, 'locked'), { locked: true });
});
afterAll(async () => {
  await open?.[Symbol.asyncDispose]();
  await locked?.[Symbol.asyncDispose]();
  await rm(room, { recursive: true, force: true });
});

beforeEach((context) => {
  if (registry.path === undefined) context.skip(registry.missing);
});

let made = 0;
const layoutOf = (image: Partial<ImageSpec> = {}): string =>
  writeLayout(join(room, `image-${++made}`), {
    layers: [layer({ name: 'show', content: staticProgram(), mode: 0o755 })],
    ...image,
  });
const greeting = (text: string) => ({ config: { Env: [`GREETING=${text}`] } });

async function greetingOf(template: string): Promise<string> {
  const { id } = await used.api.create({ template });
  const { stdout } = await used.api.execFields(id, { args: ['/show', 'GREETING'] });
  await used.api.kill(id);
  return stdout.trim().split(' ').at(-1) ?? '';
}

test('an image by its tag and by its digest', async () => {
  const image = await open.push(layoutOf(greeting('one')), 'team/one:1.0');
  const template = await buildWell(used.api, { name: 'tag', image, insecure: true });
  expect(template).toMatchObject({ source: `image ${image}`, env: { GREETING: 'one' } });
  expect(await greetingOf('tag')).toBe('one');

  const answer = await fetch(`http://${open.address}/v2/team/one/manifests/1.0`, {
    headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const digest = answer.headers.get('docker-content-digest');
  await open.push(layoutOf(greeting('two')), 'team/one:1.0');
  const pinned = `${open.address}/team/one@${digest}`;
  await buildWell(used.api, { name: 'digest', image: pinned, insecure: true });
  expect(await greetingOf('digest')).toBe('one');
  await buildWell(used.api, { name: 'tag', image, insecure: true, replace: true });
  expect(await greetingOf('tag')).toBe('two');
});

test('of an image for several machines, the one for this machine', async () => {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const other = arch === 'arm64' ? 'amd64' : 'arm64';
  const manifests = [];
  for (const architecture of [other, arch]) {
    const name = `many:${architecture}`;
    await open.push(layoutOf({ ...greeting(architecture), architecture }), name);
    const answer = await fetch(`http://${open.address}/v2/many/manifests/${architecture}`, {
      headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    manifests.push({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: answer.headers.get('docker-content-digest'),
      size: bytes.length,
      platform: { os: 'linux', architecture },
    });
  }
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const put = await fetch(`http://${open.address}/v2/many/manifests/all`, {
    method: 'PUT',
    headers: { 'Content-Type': mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
  });
  expect(put.status).toBe(201);
  await buildWell(used.api, { name: 'many', image: `${open.address}/many:all`, insecure: true });
  expect(await greetingOf('many')).toBe(arch);
});

test.each(['zstd', 'gzip'])('layers that are packed with %s', async (format) => {
  const options = ['--dest-compress-format', format, '--format', 'oci'];
  const image = await open.push(layoutOf(greeting(format)), `packed:${format}`, options);
  await buildWell(used.api, { name: `packed-${format}`, image, insecure: true });
  expect(await greetingOf(`packed-${format}`)).toBe(format);
});

test('a registry that wants to know who asks', async () => {
  const image = await locked.push(layoutOf(greeting('locked')), 'private:1');
  const { name, password } = registryUser;
  const fields = { name: 'private', image, insecure: true };
  for (const credentials of [undefined, `${name}:wrong`]) {
    const { fault } = await build(used.api, { ...fields, credentials });
    expect(fault).toMatchObject({ code: 'invalid_image', image });
    expect(fault?.error).toMatch(/unauthorized|authentication required/);
  }
  const building = build(used.api, { ...fields, credentials: `${name}:${password}` });
  const seen = await commandLinesWhile(building);
  const { template, log } = await building;
  expect(template?.status).toBe('ready');
  for (const text of [log.join('\n'), seen]) {
    expect(text).not.toContain(password);
    expect(text).not.toContain(Buffer.from(`${name}:${password}`).toString('base64'));
  }
  expect(seen).toContain('skopeo');
  // grep ends with 1 when it finds nothing.
  expect(() => execFileSync('grep', ['-rqaE', `"auths"|${password}`, templatesDir])).toThrow();
});

test('what is not in the registry, and registries that do not answer', async () => {
  const of = async (image: string, more = {}) =>
    (await build(used.api, { name: 'missing', image, ...more })).fault;
  const { address } = open;
  const insecure = { insecure: true };
  expect(await of(`${address}/team/one:nothing`, insecure)).toMatchObject({
    code: 'invalid_image',
  });
  expect(await of(`${address}/nobody/nothing:1`, insecure)).toMatchObject({
    code: 'invalid_image',
  });
  expect(await of('-v/--help:1')).toMatchObject({ code: 'invalid_image' });
  expect(await of('oci:/etc', insecure)).toMatchObject({ code: 'invalid_image' });
  expect(await of(`${address}/a b:1`, insecure)).toMatchObject({ code: 'invalid_image' });
  const plain = await of(`${address}/team/one:1.0`);
  expect(plain).toMatchObject({ code: 'template_build_failed', reason: /HTTPS/ });
  const closed = await of('127.0.0.1:1/team/one:1', insecure);
  expect(closed).toMatchObject({ code: 'template_build_failed', reason: /refused/ });
});

test('a build that waits for a silent registry can be ended', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const image = `127.0.0.1:${port}/silent:1`;
    const body = { name: 'silent', image, insecure: true, detach: true };
    const answer = await used.api.sendJson('POST', '/v1/templates/build', body);
    expect(answer.status).toBe(202);
    const { id } = JSON.parse(answer.body.toString()) as { id: string };
    const path = `/v1/templates/builds/${id}`;
    await waitFor(
      async () => /"running"/.test((await used.api.send('GET', path)).body.toString()) || undefined,
      { timeoutMs: 20_000, what: 'the build' },
    );
    expect((await used.api.send('DELETE', path)).status).toBe(204);
    const ended = JSON.parse((await used.api.send('GET', path)).body.toString());
    expect(ended).toMatchObject({ status: 'failed', error: /cancelled/ });
    expect(codeOf(await used.api.send('GET', '/v1/templates/silent'))).toBe('template_not_found');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

/** Command lines of all processes below the daemon while something goes on. */
async function commandLinesWhile(work: Promise<unknown>): Promise<string> {
  let done = false;
  void work.finally(() => {
    done = true;
  });
  const seen = new Set<string>();
  while (!done) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const line = commandLine(pid);
      if (/skopeo|umoci/.test(line)) seen.add(line);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return [...seen].join('\n');
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It has ended since.
    return '';
  }
}
