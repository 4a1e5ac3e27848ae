import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import {
  build,
  buildWell,
  dockerArchive,
  type ImageSpec,
  json,
  layer,
  ociArchive,
  onEachIsolation,
  staticProgram,
  testRun,
  useDaemon,
  writeLayout,
} from '../harness/index.ts';

const room = mkdtempSync(join(testRun().tempDir, 'images-'));
const used = useDaemon({
  env: { SANDPORT_TEMPLATES_DIR: join(room, 'templates') },
  args: ['--prepare', 'none'],
});
afterAll(() => rm(room, { recursive: true, force: true }));

let made = 0;
const place = (): string => join(room, `image-${++made}`);
const archiveOf = (bytes: Buffer): string => {
  const path = place();
  writeFileSync(path, bytes);
  return path;
};

/** An image with one program and nothing else: no shell, no passwd, no directories. */
const scratch = (config: Record<string, unknown> = {}): ImageSpec => ({
  layers: [layer({ name: 'show', content: staticProgram(), mode: 0o755 })],
  config,
});

const passwd = 'root:x:0:0::/root:/bin/sh\nweb:x:1500:1600::/srv:/bin/sh\n';
const withUsers = (User: string): ImageSpec => ({
  layers: [
    layer(
      { name: 'show', content: staticProgram(), mode: 0o755 },
      { name: 'etc/', type: '5', mode: 0o755 },
      { name: 'etc/passwd', content: passwd },
      { name: 'etc/group', content: 'root:x:0:\nstaff:x:50:\n' },
    ),
  ],
  config: { User, WorkingDir: '/srv/app', Env: ['PATH=/usr/bin', 'GREETING=hello=you', 'odd'] },
});

describe('forms of an archive', () => {
  const forms: [string, () => string][] = [
    ['the directory of an OCI layout', () => writeLayout(place(), scratch())],
    ['an OCI archive', () => archiveOf(ociArchive(scratch()))],
    ['an OCI archive packed with gzip', () => archiveOf(gzipSync(ociArchive(scratch())))],
    ['the output of docker save', () => archiveOf(dockerArchive(scratch()))],
    ['the output of docker save | gzip', () => archiveOf(gzipSync(dockerArchive(scratch())))],
  ];
  test.each(forms)('%s', async (_, write) => {
    const name = `form-${made}`;
    const template = await buildWell(used.api, { name, archive: write() });
    expect(template).toMatchObject({
      name,
      status: 'ready',
      removable: true,
      source: 'image from an archive',
      workdir: '/workspace',
    });
    expect(template.size_bytes).toBeGreaterThan(10_000);
  });

  test('one that the client sends, which is used once', async () => {
    const body = ociArchive(scratch());
    const answer = await used.api.send('POST', '/v1/templates/archives', { body });
    const { upload, bytes } = json(answer, 201) as { upload: string; bytes: number };
    expect(bytes).toBe(body.length);
    await buildWell(used.api, { name: 'sent', upload, description: 'sent by a client' });
    const again = await used.api.sendJson('POST', '/v1/templates/build', { name: 'b', upload });
    expect([again.status, JSON.parse(again.body.toString()).field]).toEqual([400, 'upload']);
    const listed = json(await used.api.send('GET', '/v1/templates/sent'), 200);
    expect(listed).toMatchObject({ description: 'sent by a client' });
  });
});

test('a user that the request asks for, and the image has not', async () => {
  const archive = writeLayout(place(), scratch());
  const { fault } = await build(used.api, { name: 'no-user', archive, user: 'ghost' });
  expect(fault).toMatchObject({ code: 'invalid_request', field: 'user' });
});

test('later layers replace and remove what earlier ones have', async () => {
  const layers = [
    layer(
      { name: 'show', content: staticProgram(), mode: 0o755 },
      { name: 'data/', type: '5', mode: 0o755 },
      { name: 'data/old', content: 'old' },
      { name: 'data/changed', content: 'first' },
      { name: 'gone/', type: '5', mode: 0o755 },
      { name: 'gone/a', content: 'a' },
      { name: 'bin', type: '2', linkName: 'usr/bin' },
      { name: 'usr/bin/', type: '5', mode: 0o755 },
    ),
    layer(
      { name: 'data/.wh.old', content: '' },
      { name: 'data/changed', content: 'second' },
      { name: 'gone/.wh..wh..opq', content: '' },
      { name: 'gone/b', content: 'b' },
      { name: 'data/hard', type: '1', linkName: 'data/changed' },
    ),
  ];
  await buildWell(used.api, { name: 'layers', archive: writeLayout(place(), { layers }) });
  const { id } = await used.api.create({ template: 'layers' });
  expect(await used.api.names(id, '/data')).toEqual(['changed', 'hard']);
  expect(await used.api.names(id, '/gone')).toEqual(['b']);
  expect((await used.api.read(id, '/data/hard')).toString()).toBe('second');
  await used.api.kill(id);
});

onEachIsolation(used, (isolation) => {
  const run = async (template: string, args = ['/show', 'GREETING'], more = {}) => {
    const { id } = await used.api.create({ template, isolation, ...more });
    const { stdout } = await used.api.execFields(id, { args });
    await used.api.kill(id);
    return stdout.trim();
  };

  test('an image without a shell, users and directories starts and moves files', async () => {
    await buildWell(used.api, {
      name: 'scratch',
      archive: writeLayout(place(), scratch()),
      replace: true,
    });
    const { id } = await used.api.create({ template: 'scratch', isolation });
    await used.api.write(id, '/workspace/deep/file', 'text');
    expect((await used.api.read(id, '/workspace/deep/file')).toString()).toBe('text');
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const shown = await used.api.execFields(id, { args: ['/show'] });
    expect(shown.stdout).toBe(`0:0 /workspace ${path}\n`);
    const answer = await used.api.sendJson('POST', `/v1/sandboxes/${id}/exec`, { cmd: 'true' });
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
      400,
      { code: 'command_not_started', path: '/bin/sh', errno: 'ENOENT' },
    ]);
    await used.api.kill(id);
  });

  test.each([
    ['', '0:0'],
    ['web', '1500:1600'],
    ['1500', '1500:1600'],
    ['web:staff', '1500:50'],
    ['1500:7', '1500:7'],
    ['4321', '4321:0'],
    ['4321:9', '4321:9'],
  ])('the user %j of an image, its directory and its environment', async (user, ids) => {
    const name = `user-${user.replace(/\W/g, '-')}-x`;
    await buildWell(used.api, {
      name,
      archive: writeLayout(place(), withUsers(user)),
      replace: true,
    });
    expect(await run(name)).toBe(`${ids} /srv/app hello=you`);
    expect(await run(name, ['/show', 'PATH'])).toBe(`${ids} /srv/app /usr/bin`);
    const asked = { user: 'user', workdir: '/workspace', env: { GREETING: 'mine' } };
    expect(await run(name, undefined, asked)).toBe('1000:1000 /workspace mine');
  });

  test('what the request sets comes before what the image says', async () => {
    const template = await buildWell(used.api, {
      name: 'set',
      archive: writeLayout(place(), withUsers('web')),
      user: 'user',
      workdir: '/opt/new',
      env: { GREETING: 'set' },
      resources: { memory_mb: 300, cpu: 0.5 },
      replace: true,
    });
    expect(template).toMatchObject({ memory_mb: 300, cpu: 0.5, user: 'user', workdir: '/opt/new' });
    expect(await run('set')).toBe('1000:1000 /opt/new set');
    const { id } = await used.api.create({ template: 'set', isolation });
    expect(await used.api.get(id)).toMatchObject({ memory_mb: 300, cpu: 0.5 });
    await used.api.kill(id);
  });
});
