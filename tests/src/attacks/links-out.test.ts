import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Canary,
  expectNothingLeft,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();
let canary: Canary;
beforeAll(() => {
  canary = new Canary();
});
afterAll(() => canary.remove());

/** Ways to name a path of the host from within, whether the guest's kernel follows them or not. */
const waysOut = (path: string): Record<string, string> => ({
  absolute: path,
  relative: `${'../'.repeat(30)}${path.slice(1)}`,
  'proc-self-root': `/proc/self/root${path}`,
  'proc-1-root': `/proc/1/root${path}`,
  'proc-self-cwd': `/proc/self/cwd/${'../'.repeat(10)}${path.slice(1)}`,
  'proc-1-cwd': `/proc/1/cwd/${'../'.repeat(10)}${path.slice(1)}`,
  ...Object.fromEntries(
    Array.from({ length: 30 }, (_, fd) => [`fd-${fd}`, `/proc/self/fd/${fd}${path}`]),
  ),
  'thread-self': `/proc/thread-self/root${path}`,
  'task-root': `/proc/self/task/1/root${path}`,
  doubled: `//${path}//`,
  'dot-dot-root': `/..${path}`,
});

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  const plant = async (directory: string, target: string): Promise<string[]> => {
    const links = Object.entries(waysOut(target));
    const program = `
import json, os, sys
os.makedirs('${directory}')
for name, to in json.load(sys.stdin): os.symlink(to, '${directory}/' + name)
`;
    const made = await used.api.execFields(box.id, {
      args: ['python3', '-c', program],
      stdin: JSON.stringify(links),
      user: 'root',
    });
    expect(made).toMatchObject({ exit_code: 0, stderr: '' });
    return links.map(([name]) => `${directory}/${name}`);
  };

  test('links to a file of the host are never read, written or removed through', async () => {
    const { api } = used;
    for (const path of await plant('/tmp/to-file', canary.file)) {
      const read = await api.open(box.id, path);
      expect([400, 404, 409], path).toContain(read.status);
      canary.expectNotIn(read.body);
      const stat = await api.statAnswer(box.id, path);
      expect(stat.status, path).not.toBe(200);
      // A write may make the path inside the guest; it must not reach the host.
      const written = await api.put(box.id, path, 'overwritten');
      expect([200, 400, 404, 409], path).toContain(written.status);
      canary.expectUntouched();
      if (written.status === 200) await api.asRoot(box.id, `rm -rf ${canary.directory}`);
      expect((await api.remove(box.id, path)).status).toBe(204);
      canary.expectUntouched();
    }
    await expectNothingLeft(used, box.id);
  });

  test('links to a directory of the host are never listed, filled or emptied', async () => {
    const { api } = used;
    for (const path of await plant('/tmp/to-directory', canary.directory)) {
      const listed = await api.listing(box.id, path);
      expect(listed.status, path).not.toBe(200);
      canary.expectNotIn(listed.body);
      const below = await api.open(box.id, `${path}/secret`);
      expect(below.status, path).not.toBe(200);
      await api.put(box.id, `${path}/sub/kept`, 'overwritten');
      await api.put(box.id, `${path}/new`, 'planted');
      await api.mkdir(box.id, `${path}/made`);
      await api.remove(box.id, `${path}/sub/kept`);
      await api.remove(box.id, `${path}/sub`);
      canary.expectUntouched();
      await api.asRoot(box.id, `rm -rf ${canary.directory}`);
      expect((await api.remove(box.id, path)).status).toBe(204);
      canary.expectUntouched();
    }
    expect((await api.remove(box.id, '/tmp/to-directory')).status).toBe(204);
    canary.expectUntouched();
  });

  test('links to well-known files of the host give the files of the guest, or none', async () => {
    const hostShadow = readFileSync('/etc/shadow', 'utf8');
    const guestShadow = await used.api.asRoot(box.id, 'cat /etc/shadow');
    for (const path of await plant('/tmp/to-shadow', '/etc/shadow')) {
      const read = await used.api.open(box.id, path);
      if (read.status === 200) expect(read.body.toString(), path).toBe(guestShadow);
      else expect([400, 404, 409], path).toContain(read.status);
      expect(read.body.toString()).not.toBe(hostShadow);
    }
    const ownData = `${used.daemon.dataDir}/client.json`;
    for (const path of await plant('/tmp/to-daemon', ownData)) {
      const read = await used.api.open(box.id, path);
      expect(read.status, path).not.toBe(200);
      expect(read.body.includes(used.daemon.apiKey)).toBe(false);
    }
  });

  test('paths themselves lead nowhere else either', async () => {
    const { api } = used;
    for (const path of Object.values(waysOut(canary.file)).map((way) =>
      way.replace(/^\.\./, '/..'),
    )) {
      const read = await api.open(box.id, path);
      expect(read.status, path).not.toBe(200);
      canary.expectNotIn(read.body);
    }
    canary.expectUntouched();
  });

  test('a link in the place of a parent does not lead a new tree out', async () => {
    const { api } = used;
    await api.asRoot(box.id, `ln -s ${canary.directory} /tmp/parent; ln -s / /tmp/top`);
    await api.put(box.id, '/tmp/parent/a/b/c', 'x');
    await api.put(box.id, `/tmp/top${canary.directory}/a/b/c`, 'x');
    await api.mkdir(box.id, '/tmp/parent/d/e');
    canary.expectUntouched();
    // It went where the guest itself would have gone.
    const inside = await api.asRoot(
      box.id,
      `cat ${canary.directory}/a/b/c && ls ${canary.directory}`,
    );
    expect(inside).toBe('xa\nd\n');
  });

  test('no answer tells a path of the host', async () => {
    const { api } = used;
    const answers = await Promise.all([
      api.open(box.id, '/proc/version'),
      api.open(box.id, '/no/such'),
      api.put(box.id, '/tmp', 'x'),
      api.listing(box.id, '/etc/passwd'),
      api.remove(box.id, '/'),
      api.sendJson('POST', `/v1/sandboxes/${box.id}/exec`, { args: ['/no/such/program'] }),
    ]);
    for (const { body } of answers) {
      expect(body.includes(used.daemon.dataDir)).toBe(false);
      expect(body.toString()).not.toMatch(/\/run\/sandport\/[0-9a-f]{12}/);
    }
  });
});
