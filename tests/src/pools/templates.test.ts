import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  buildWell,
  codeOf,
  faultOf,
  json,
  layer,
  staticProgram,
  testRun,
  useDaemon,
  waitFor,
  writeLayout,
} from '../harness/index.ts';

const room = mkdtempSync(join(testRun().tempDir, 'pooled-'));
// Hooks run last one first: the daemon, which writes there, has ended by then.
afterAll(() => rm(room, { recursive: true, force: true }));
const used = useDaemon({
  env: { SANDPORT_TEMPLATES_DIR: join(room, 'templates') },
  args: ['--prepare', 'none', '--pool', 'edition=2', '--pool', 'never:container=1'],
});

let made = 0;
const imageOf = (text: string): string =>
  writeLayout(join(room, `image-${++made}`), {
    layers: [
      layer(
        { name: 'show', content: staticProgram(), mode: 0o755 },
        { name: 'edition', content: text },
      ),
    ],
  });
const pools = async () => {
  const all = await used.api.pools();
  return { edition: all.find(({ template }) => template === 'edition'), all };
};

test('pools that the daemon is started with wait for their templates', async () => {
  const { edition, all } = await pools();
  expect(edition).toMatchObject({ size: 2, isolation: used.daemon.isolations[0], ready: 0 });
  expect(all).toHaveLength(2);
  const why = await waitFor(async () => (await pools()).edition?.error);
  expect(why).toMatch(/edition.*not built/);
});

test('a new version of the template takes the place of the old one in the pool', async () => {
  const { api } = used;
  await buildWell(api, { name: 'edition', archive: imageOf('first') });
  const full = { timeoutMs: 40_000, what: 'a full pool' };
  await waitFor(async () => (await pools()).edition?.ready === 2, full);
  const first = await api.create({ template: 'edition' });
  expect(first.boot_mode).toBe('pool');
  expect((await api.read(first.id, '/edition')).toString()).toBe('first');
  await waitFor(async () => (await pools()).edition?.ready === 2, full);

  await buildWell(api, { name: 'edition', archive: imageOf('second'), replace: true });
  const second = await api.create({ template: 'edition' });
  expect((await api.read(second.id, '/edition')).toString()).toBe('second');
  const third = await waitFor(async () => {
    const sandbox = await api.create({ template: 'edition' });
    return sandbox.boot_mode === 'pool' && sandbox;
  }, full);
  expect((await api.read(third.id, '/edition')).toString()).toBe('second');
  expect((await api.read(first.id, '/edition')).toString()).toBe('first');
});

test('a template with a pool is not removed', async () => {
  const { api } = used;
  const remove = () => api.send('DELETE', '/v1/templates/edition');
  faultOf(await remove(), 'template_not_removable');
  json(await api.sendJson('PUT', '/v1/pools/edition', { size: 0 }), 200);
  faultOf(await remove(), 'template_not_removable');
  expect((await api.send('DELETE', '/v1/pools/edition')).status).toBe(204);
  expect(codeOf(await remove())).toBe('ok');
  faultOf(await api.sendJson('PUT', '/v1/pools/edition', { size: 1 }), 'unknown_template');
});
