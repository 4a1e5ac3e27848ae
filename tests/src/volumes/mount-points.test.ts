import { expect, test } from 'vitest';
import { faultOf, json, onEachIsolation, useDaemon, volumeFilePath } from '../harness/index.ts';

const used = useDaemon();

test('mount points that are not safe are refused, and make nothing', async () => {
  const { api } = used;
  const tryAt = (...paths: string[]) =>
    api.sendJson('POST', '/v1/sandboxes', {
      volumes: paths.map((path, index) => ({ name: `v${index}`, path })),
    });
  for (const path of [
    '/',
    '//',
    '/.',
    '/..',
    '/mnt/../proc',
    '/mnt/./x',
    '/mnt//x',
    '/mnt/x/',
    '/proc',
    '/proc/1/root',
    '/sys',
    '/sys/fs/cgroup',
    '/dev',
    '/dev/shm',
    '/run',
    '/run/sandport',
    '/run/sandport/x',
  ])
    expect([path, faultOf(await tryAt(path), 'invalid_request').error]).toEqual([
      path,
      expect.stringContaining(path),
    ]);
  for (const path of ['', 'relative', '/a\0b', `/${'a'.repeat(300)}`])
    faultOf(await tryAt(path), 'invalid_path');
  faultOf(await tryAt(`/${'a/'.repeat(2500)}b`), 'invalid_request');
  faultOf(await tryAt('/data', '/data'), 'invalid_request');
  faultOf(await tryAt('/data', '/data/inner'), 'invalid_request');
  faultOf(await tryAt('/data/inner', '/data'), 'invalid_request');
  const send = (volumes: unknown) => api.sendJson('POST', '/v1/sandboxes', { volumes });
  faultOf(await send([{ name: 'a' }, { name: 'a', path: '/b' }]), 'invalid_request');
  faultOf(await send([{ name: 'a', path: '/mnt' }, { name: 'b' }]), 'invalid_request');
  for (const name of ['..', '.', '', 'A', 'a_b', 'a/b', '-a', 'a-', 'a'.repeat(64), 'ü', 7, null])
    faultOf(await send([{ name }]), 'invalid_request');
  faultOf(await send(Array.from({ length: 65 }, (_, i) => ({ name: `v${i}` }))), 'invalid_request');
  expect(json(await api.send('GET', '/v1/volumes'), 200)).toEqual([]);
  expect(await api.list()).toEqual([]);
});

onEachIsolation(used, (isolation) => {
  test('a volume is where the request wants it, for the guest and for the API', async () => {
    const { api } = used;
    const name = `placed-${isolation}`;
    const paths = ['/data', '/srv/deep/er', '/workspace/cache', '/home/user/models'];
    const volumes = paths.map((path, index) => ({ name: `${name}-${index}`, path }));
    const { id, volumes: told } = await api.create({ isolation, volumes });
    expect(told).toEqual(volumes);
    for (const [index, path] of paths.entries()) {
      await api.write(id, `${path}/from-api`, path);
      const seen = await api.exec(id, `cat ${path}/from-api; echo -n guest > ${path}/from-guest`);
      expect(seen).toMatchObject({ stdout: path, exit_code: 0 });
      const alone = await api.send('GET', volumeFilePath(`${name}-${index}`, '', '/from-guest'));
      expect(alone.body.toString()).toBe('guest');
    }
    // Mount points stay.
    faultOf(await api.remove(id, '/data'), 'path_busy');
    await api.kill(id);
  });

  test('no link in the template on the way makes another place of a mount point', async () => {
    const { api } = used;
    // /bin is a link to usr/bin, /var/run one to /run; /etc/passwd is a file.
    for (const path of [
      '/bin/extra',
      '/var/run/extra',
      '/var/run/sandport/x',
      '/etc/passwd',
      '/etc/passwd/x',
    ]) {
      const volumes = [{ name: `linked-${isolation}`, path }];
      const answer = await api.sendJson('POST', '/v1/sandboxes', { isolation, volumes });
      expect(faultOf(answer, 'invalid_request').error).toContain(path);
    }
    expect(await api.list()).toEqual([]);
  });
});
