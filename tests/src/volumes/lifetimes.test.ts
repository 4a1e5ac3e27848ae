import { expect, test } from 'vitest';
import {
  codeOf,
  faultOf,
  json,
  onEachIsolation,
  useDaemon,
  volumeFilePath,
} from '../harness/index.ts';

const used = useDaemon();
const remove = (name: string) => used.api.send('DELETE', `/v1/volumes/${name}`);
const get = async (name: string) => json(await used.api.send('GET', `/v1/volumes/${name}`), 200);

onEachIsolation(used, (isolation) => {
  test('a volume and its mount survive hibernation and a killed daemon', async () => {
    const name = `lasting-${isolation}`;
    const path = `/mnt/${name}`;
    const sized = `${name}-sized`;
    const volumes = [{ name }, { name: sized, size_mb: 32, path: '/data' }];
    const { id } = await used.api.create({ isolation, volumes });
    await used.api.write(id, `${path}/file`, 'before');
    await used.api.write(id, '/data/file', 'before');
    json(await used.api.send('POST', `/v1/sandboxes/${id}/hibernate`), 200);
    // Its files are there meanwhile, and can be changed without it.
    json(await used.api.send('PUT', volumeFilePath(name, '', '/file'), { body: 'asleep' }), 200);
    faultOf(await remove(name), 'volume_in_use');
    faultOf(await remove(sized), 'volume_in_use');
    await used.daemon.kill9();
    await used.daemon.start();
    faultOf(await remove(name), 'volume_in_use');
    expect(await get(sized)).toMatchObject({ size_mb: 32, used_by: [id] });
    expect((await used.api.exec(id, `cat ${path}/file /data/file`)).stdout).toBe('asleepbefore');
    await used.daemon.kill9();
    await used.daemon.start();
    expect((await used.api.exec(id, `echo -n after > ${path}/file`)).exit_code).toBe(0);
    const full = await used.api.exec(id, 'dd if=/dev/zero of=/data/fill bs=1M count=64');
    expect(full.stderr).toMatch(/No space left|quota exceeded/);
    const alone = await used.api.send('GET', volumeFilePath(name, '', '/file'));
    expect(alone.body.toString()).toBe('after');
    await used.api.kill(id);
    expect((await remove(name)).status).toBe(204);
    expect((await remove(sized)).status).toBe(204);
    expect(json(await used.api.send('GET', '/v1/volumes'), 200)).toEqual([]);
  });

  test('a volume that is deleted while sandboxes with it are made: refused, or a new one', async () => {
    const { api } = used;
    const name = `raced-${isolation}`;
    for (let round = 0; round < 4; round++) {
      json(await api.sendJson('POST', '/v1/volumes', { name }), 201);
      json(await api.send('PUT', volumeFilePath(name, '', '/old'), { body: 'old' }), 200);
      const create = () => api.create({ isolation, volumes: [{ name }] });
      const [first, second, ...removals] = await Promise.all([
        create(),
        create(),
        ...Array.from({ length: 6 }, () => remove(name)),
      ]);
      const codes = removals.map(codeOf);
      expect(['ok', 'volume_in_use', 'volume_not_found']).toEqual(expect.arrayContaining(codes));
      // Both have the same volume, and it is the one that the API has.
      await api.write(first.id, `/mnt/${name}/new`, `round ${round}`);
      expect((await api.exec(second.id, `cat /mnt/${name}/new`)).stdout).toBe(`round ${round}`);
      const alone = await api.send('GET', volumeFilePath(name, '', '/new'));
      expect(alone.body.toString()).toBe(`round ${round}`);
      const isNew = codes.includes('ok');
      expect(await api.names(first.id, `/mnt/${name}`)).toEqual(isNew ? ['new'] : ['new', 'old']);
      faultOf(await remove(name), 'volume_in_use');
      await api.kill(first.id);
      await api.kill(second.id);
      expect((await remove(name)).status).toBe(204);
    }
  });
});

test('a thousand volumes are made and listed, survive a killed daemon, and can be deleted', async () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `many-${index}`);
  const inSteps = async (count: number, work: (name: string) => Promise<void>): Promise<void> => {
    for (let from = 0; from < count; from += 50)
      await Promise.all(names.slice(from, from + 50).map(work));
  };
  await inSteps(1_000, async (name) => {
    json(await used.api.sendJson('POST', '/v1/volumes', { name }), 201);
  });
  json(await used.api.send('PUT', volumeFilePath('many-999', '', '/x'), { body: 'kept' }), 200);
  await used.daemon.kill9();
  await used.daemon.start();
  const startedAt = performance.now();
  const listed = json(await used.api.send('GET', '/v1/volumes'), 200) as { name: string }[];
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(listed.map(({ name }) => name).sort()).toEqual(names.toSorted());
  const kept = await used.api.send('GET', volumeFilePath('many-999', '', '/x'));
  expect(kept.body.toString()).toBe('kept');
  await inSteps(100, async (name) => {
    expect((await remove(name)).status).toBe(204);
  });
  const left = json(await used.api.send('GET', '/v1/volumes'), 200);
  expect(left).toHaveLength(900);
});
