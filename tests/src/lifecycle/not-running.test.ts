import { changesSchema, directoryListingSchema, diskUsageSchema } from '@sandport/protocol';
import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import {
  filePath,
  json,
  onEachIsolation,
  sandboxProcess,
  signal,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  beforeAll(async () => {
    if (!used.daemon.isolations.includes(isolation)) return;
    const make =
      'mkdir -p /workspace/tree/deep && echo one > /workspace/tree/1 && echo two > /workspace/tree/deep/2 && rm /etc/issue';
    await used.api.asRoot(box.id, make);
    signal(sandboxProcess(used.daemon, box.id), 'SIGKILL');
    await waitFor(async () => (await used.api.get(box.id)).status === 'failed');
  });

  test('files of a sandbox that does not run are listed, measured and read', async () => {
    const path = `${filePath(box.id, '/dir', '/workspace/tree')}&recursive=true`;
    const listing = directoryListingSchema.parse(json(await used.api.send('GET', path), 200));
    expect(listing.entries.map((entry) => entry.path)).toEqual([
      '/workspace/tree/1',
      '/workspace/tree/deep',
      '/workspace/tree/deep/2',
    ]);
    expect((await used.api.read(box.id, '/workspace/tree/deep/2')).toString()).toBe('two\n');
    const usage = json(await used.api.send('GET', filePath(box.id, '/du', '/workspace')), 200);
    expect(diskUsageSchema.parse(usage)).toMatchObject({ files: 2, directories: 2, size_bytes: 8 });
  });

  test('its directories are downloaded as an archive', async () => {
    const answer = await used.api.send('GET', filePath(box.id, '/archive', '/workspace/tree'));
    expect(answer.status).toBe(200);
    const names = execFileSync('tar', ['-tf', '-'], { input: answer.body, encoding: 'utf8' });
    expect(names.split('\n').filter((name) => name.endsWith('2'))).toHaveLength(1);
  });

  test('what it changed of its template can still be told', async () => {
    const answer = await used.api.send('GET', `/v1/sandboxes/${box.id}/fs/changes`);
    const { changes } = changesSchema.parse(json(answer, 200));
    const told = changes.map(({ change, path }) => `${change} ${path}`);
    expect(told).toContain('deleted /etc/issue');
    expect(told).toContain('added /workspace/tree/deep/2');
  });

  test('nothing of this started it', async () => {
    expect((await used.api.get(box.id)).status).toBe('failed');
  });
});
