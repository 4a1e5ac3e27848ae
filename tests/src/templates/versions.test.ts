import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  build,
  buildWell,
  codeOf,
  faultOf,
  json,
  layer,
  readBuild,
  staticProgram,
  templateNames,
  testRun,
  useDaemon,
  waitFor,
  writeLayout,
} from '../harness/index.ts';

const room = mkdtempSync(join(testRun().tempDir, 'versions-'));
const templatesDir = join(room, 'templates');
const used = useDaemon({
  env: { SANDPORT_TEMPLATES_DIR: templatesDir },
  args: ['--prepare', 'none'],
});
afterAll(() => rm(room, { recursive: true, force: true }));

let made = 0;
/** An image whose program is at /show and whose one file says `text`. */
const imageOf = (text: string): string =>
  writeLayout(join(room, `image-${++made}`), {
    layers: [
      layer(
        { name: 'show', content: staticProgram(), mode: 0o755 },
        { name: 'edition', content: text },
      ),
    ],
  });
const versionsOf = (name: string): string[] =>
  existsSync(join(templatesDir, name))
    ? readdirSync(join(templatesDir, name)).filter((entry) => /^\d/.test(entry))
    : [];
const edition = async (id: string) => (await used.api.read(id, '/edition')).toString();
const collected = (name: string, count: number) =>
  waitFor(() => versionsOf(name).length === count || undefined, {
    timeoutMs: 10_000,
    what: `${count} versions of ${name}`,
  });
const remove = (name: string) => used.api.send('DELETE', `/v1/templates/${name}`);

test('a sandbox keeps the version it started from; versions without users go', async () => {
  const { api } = used;
  const first = await buildWell(api, { name: 'kept', archive: imageOf('first') });
  const old = await api.create({ template: 'kept' });
  const body = { name: 'kept', archive: imageOf('second') };
  expect((await build(api, body)).fault?.code).toBe('template_exists');
  const second = await buildWell(api, { ...body, replace: true });
  expect(second.version).not.toBe(first.version);
  expect(second.size_bytes).toBeGreaterThan(first.size_bytes);
  const young = await api.create({ template: 'kept' });
  expect([await edition(old.id), await edition(young.id)]).toEqual(['first', 'second']);
  expect(versionsOf('kept').length).toBe(2);

  await used.daemon.restart();
  expect([await edition(old.id), await edition(young.id)]).toEqual(['first', 'second']);
  expect(versionsOf('kept').length).toBe(2);
  await used.api.kill(old.id);
  await collected('kept', 1);

  expect((await remove('kept')).status).toBe(204);
  expect(await templateNames(used.api)).not.toContain('kept');
  faultOf(
    await used.api.sendJson('POST', '/v1/sandboxes', { template: 'kept' }),
    'unknown_template',
  );
  expect(await edition(young.id)).toBe('second');
  const shown = await used.api.execFields(young.id, { args: ['/show'] });
  expect(shown.exit_code).toBe(0);
  await used.api.kill(young.id);
  await collected('kept', 0);
  await waitFor(() => !existsSync(join(templatesDir, 'kept')) || undefined, {
    timeoutMs: 20_000,
    what: 'the end of its directory',
  });
});

test('what a killed daemon left is collected by the next', async () => {
  await buildWell(used.api, { name: 'crash', archive: imageOf('whole') });
  const body = { name: 'crash', archive: imageOf('half'), replace: true, detach: true };
  const answer = await used.api.sendJson('POST', '/v1/templates/build', body);
  expect(answer.status).toBe(202);
  const home = join(templatesDir, 'crash');
  await waitFor(
    () => readdirSync(home).some((entry) => entry.startsWith('.building')) || undefined,
    { timeoutMs: 20_000, what: 'the build' },
  );
  await used.daemon.kill9();
  await used.daemon.start();
  await waitFor(
    () => !readdirSync(home).some((entry) => entry.startsWith('.building')) || undefined,
    { timeoutMs: 10_000, what: 'the half-built version to go' },
  );
  const { id } = await used.api.create({ template: 'crash' });
  expect(['whole', 'half']).toContain(await edition(id));
  await used.api.kill(id);
  expect(versionsOf('crash').length).toBe(1);
  await remove('crash');
});

test('what may not be removed or replaced', async () => {
  faultOf(await remove('base'), 'template_not_removable');
  faultOf(await remove('default'), 'template_not_removable');
  faultOf(await remove('nothing'), 'template_not_found');
  const archive = imageOf('mine');
  expect((await build(used.api, { name: 'base', archive, replace: true })).fault).toMatchObject({
    code: 'template_exists',
    template: 'base',
  });
  expect((await build(used.api, { name: 'unknown' })).fault?.code).toBe('template_not_found');
  expect((await build(used.api, { name: '../up', archive })).fault?.code).toBe('invalid_request');
  expect((await build(used.api, { name: 'two', archive, image: 'a' })).fault?.code).toBe(
    'invalid_request',
  );
});

test('only administrators build and remove', async () => {
  await buildWell(used.api, { name: 'shared', archive: imageOf('shared') });
  const { api } = await used.api.newKey({ namespaces: ['team'] });
  expect(await templateNames(api)).toContain('shared');
  for (const [method, path] of [
    ['POST', '/v1/templates/build'],
    ['POST', '/v1/templates/archives'],
    ['GET', '/v1/templates/builds'],
    ['GET', '/v1/templates/builds/x'],
    ['GET', '/v1/templates/builds/x/logs'],
    ['DELETE', '/v1/templates/builds/x'],
    ['DELETE', '/v1/templates/shared'],
  ] as const)
    expect([path, codeOf(await api.send(method, path))]).toEqual([path, 'forbidden']);
  const { id } = await api.create({ template: 'shared', namespace: 'team' });
  await api.kill(id);
});

test('builds have ids, a log from its beginning, and their turn', async () => {
  const start = async (name: string, text: string, more = {}) => {
    const body = { name, archive: imageOf(text), detach: true, ...more };
    const answer = await used.api.sendJson('POST', '/v1/templates/build', body);
    return json(answer, 202) as { id: string; name: string; status: string };
  };
  const one = await start('turn', 'one');
  const two = await start('turn', 'two', { replace: true });
  const three = await start('turn', 'three');
  expect(one).toMatchObject({ name: 'turn' });
  expect([two.status, three.status]).toEqual(['queued', 'queued']);
  const logOf = async (id: string) =>
    readBuild((await used.api.send('GET', `/v1/templates/builds/${id}/logs`)).body.toString());
  const [first, second, third] = await Promise.all([one, two, three].map(({ id }) => logOf(id)));
  expect(first?.template).toMatchObject({ name: 'turn', status: 'ready' });
  expect(first?.log.join('\n')).toContain('unpacking');
  expect(second?.template?.version).not.toBe(first?.template?.version);
  expect(third?.fault?.code).toBe('template_exists');
  // A late reader gets the whole log too.
  expect(await logOf(one.id)).toEqual(first);
  const listed = json(await used.api.send('GET', '/v1/templates/builds?name=turn'), 200);
  expect(listed).toMatchObject([
    { id: three.id, status: 'failed', code: 'template_exists' },
    { id: two.id, status: 'done' },
    { id: one.id, status: 'done' },
  ]);
  faultOf(await used.api.send('GET', '/v1/templates/builds/nobody'), 'build_not_found');
  expect((await used.api.send('DELETE', `/v1/templates/builds/${one.id}`)).status).toBe(204);
});

test('archives that are cut off, or are not what was announced, are not kept', async () => {
  const archives = join(used.daemon.dataDir, 'template-archives');
  const digest = { 'Repr-Digest': `sha-256=:${Buffer.alloc(32, 1).toString('base64')}:` };
  const answer = await used.api.send('POST', '/v1/templates/archives', {
    body: 'not what was announced',
    headers: digest,
  });
  faultOf(answer, 'digest_mismatch');
  await used.api
    .send('POST', '/v1/templates/archives', {
      body: 'short',
      headers: { 'Content-Length': 5000 },
      timeoutMs: 500,
    })
    .catch(() => undefined);
  await waitFor(() => readdirSync(archives).length === 0 || undefined, {
    timeoutMs: 10_000,
    what: 'no archive to be left',
  });
});
