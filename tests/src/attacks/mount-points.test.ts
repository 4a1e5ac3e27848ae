import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  Canary,
  faultOf,
  json,
  onEachIsolation,
  useDaemon,
  waitForOnly,
} from '../harness/index.ts';

const used = useDaemon();
const post = (id: string, route: string, body: unknown = {}) =>
  used.api.sendJson('POST', `/v1/sandboxes/${id}/${route}`, body);

// A guest prepares its disk for the moment in which volumes are mounted into a copy of it, or into
// itself when it wakes: every mount point is found in a tree that an enemy has written.
onEachIsolation(used, (isolation) => {
  const links: Readonly<Record<string, string>> = {
    '/mnt': '/etc',
    '/into-proc': '/proc/self/fd',
    '/into-run': '/run/sandport',
    '/up': '../../../../../../../../etc',
    '/around': '/around',
  };

  test('links that a guest plants on the way to a mount point are not followed', async () => {
    const { api } = used;
    const { id } = await api.create({ isolation });
    await api.asRoot(id, 'rm -rf /mnt');
    for (const [path, target] of Object.entries(links))
      await api.asRoot(id, `ln -s ${target} ${path}`);
    await api.asRoot(id, 'touch /file; mkfifo /fifo; mkdir /dir; ln -s /etc/shadow /dir/last');
    const snapshot = json(await post(id, 'snapshots', { memory: false }), 201) as { id: string };
    const paths = [
      undefined,
      ...Object.keys(links).slice(1),
      ...Object.keys(links).map((path) => `${path}/deep/er`),
      '/file',
      '/file/below',
      // gVisor keeps FIFOs to itself: nothing is there on the disk.
      ...(isolation === 'container' ? ['/fifo'] : []),
      '/dir/last',
    ];
    for (const path of paths) {
      const volumes = [{ name: `trap-${isolation}`, ...(path === undefined ? {} : { path }) }];
      const body = { from_snapshot: snapshot.id, isolation, volumes };
      const answer = await api.sendJson('POST', '/v1/sandboxes', body);
      if (answer.status === 201) throw new Error(`a volume was mounted at ${path}`);
      expect(answer.status, `${path}: ${answer.body}`).toBe(400);
      faultOf(answer, 'invalid_request');
    }
    // The directories of the traps were not made anywhere.
    expect(existsSync('/etc/deep')).toBe(false);
    expect((await api.exec(id, 'ls -d /etc/deep /etc/trap-*')).stdout).toBe('');
    const { length } = await api.list();
    expect(length).toBe(1);
    // A place that is none of these is fine.
    const volumes = [{ name: `trap-${isolation}`, path: '/dir/fine' }];
    const copy = await api.create({ from_snapshot: snapshot.id, volumes });
    await api.kill(copy.id);
    await api.kill(id);
    expect((await api.send('DELETE', `/v1/snapshots/${snapshot.id}`)).status).toBe(204);
    await waitForOnly(used.daemon, []);
  });

  test('a guest that moves the directory of its mount point away wakes without an escape', async () => {
    const { api } = used;
    const canary = new Canary();
    const name = `moved-${isolation}`;
    const { id } = await api.create({ isolation, volumes: [{ name, path: '/data/volume' }] });
    await api.write(id, '/data/volume/file', 'kept');
    await api.asRoot(id, `mv /data /moved && ln -s ${canary.directory} /data || true`);
    json(await post(id, 'hibernate'), 200);
    const woken = await post(id, 'wake');
    // Whether it can be woken is the guest's own affair; its files and its volume are there.
    if (woken.status !== 200) expect(woken.status, woken.body.toString()).toBeLessThan(500);
    canary.expectUntouched();
    canary.remove();
    const alone = `/v1/volumes/${name}/fs?path=${encodeURIComponent('/file')}`;
    expect((await api.send('GET', alone)).body.toString()).toBe('kept');
    await api.kill(id);
    expect((await api.send('DELETE', `/v1/volumes/${name}`)).status).toBe(204);
    await waitForOnly(used.daemon, []);
  });
});
