import { mkdirSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultOf, startDaemon, testRun, waitFor } from '../harness/index.ts';

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('a first start builds the template base, and the first sandbox waits for it', async () => {
  const templates = mkdtempSync(join(testRun().tempDir, 'templates-'));
  try {
    await using daemon = await startDaemon({ env: { SANDPORT_TEMPLATES_DIR: templates } });
    const { api } = daemon;
    // As long as a template takes to build: from half a minute to minutes on a busy machine.
    const { id } = await api.create({ template: 'base' }, { timeoutMs: 270_000 });
    expect((await api.exec(id, 'python3 -c "print(6 * 7)"')).stdout).toBe('42\n');
    expect((await daemon.log()).filter(({ level }) => Number(level) >= 50)).toEqual([]);
  } finally {
    await rm(templates, { recursive: true });
  }
}, 300_000);

test('a daemon that ends while it builds a template leaves nothing of it', async () => {
  const directory = mkdtempSync(join(testRun().tempDir, 'build-'));
  try {
    const [templates, TMPDIR] = [join(directory, 'templates'), join(directory, 'temporary')];
    mkdirSync(TMPDIR);
    await using daemon = await startDaemon({ env: { SANDPORT_TEMPLATES_DIR: templates, TMPDIR } });
    const began = () =>
      readdirSync(directory, { recursive: true }).some((name) => `${name}`.endsWith('/var/lib'));
    await waitFor(began, { timeoutMs: 60_000, what: 'the first files of the template' });
    await daemon.stop();
    expect(readdirSync(directory, { recursive: true }).toSorted()).toEqual([
      'templates',
      'temporary',
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
}, 120_000);

test('a template that nobody prepares is refused with the way out', async () => {
  const templates = mkdtempSync(join(testRun().tempDir, 'templates-'));
  try {
    const env = { SANDPORT_TEMPLATES_DIR: templates };
    await using daemon = await startDaemon({ env, args: ['--prepare', 'none'] });
    const answer = await daemon.api.sendJson('POST', '/v1/sandboxes', { template: 'base' });
    const fault = faultOf(answer, 'template_not_built');
    expect(fault.error).toContain('sandport template build base');
  } finally {
    await rm(templates, { recursive: true });
  }
});

test('nobody else on the machine can read the state or the key', async () => {
  await using daemon = await startDaemon();
  await daemon.api.create();
  for (const name of ['sandport.db', 'sandport.db-wal', 'client.json'])
    expect([name, modeOf(join(daemon.dataDir, name))]).toEqual([name, '600']);
  for (const name of ['sandboxes', 'volumes'])
    expect([name, modeOf(join(daemon.dataDir, name))]).toEqual([name, '700']);
});
