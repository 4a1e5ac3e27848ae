import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { faultOf, json, onEachIsolation, useDaemon, volumeFilePath } from '../harness/index.ts';

const used = useDaemon();
const mebibyte = 2 ** 20;
/** What the kernel says of a full disk image, and of a full subvolume. */
const full = /No space left on device|Disk quota exceeded/;

test('a volume keeps its size; asking for another one is refused', async () => {
  const { api } = used;
  const make = (body: unknown) => api.sendJson('POST', '/v1/volumes', body);
  expect(json(await make({ name: 'sized', size_mb: 32 }), 201)).toMatchObject({
    name: 'sized',
    size_mb: 32,
    size_bytes: expect.any(Number),
    used_by: [],
  });
  json(await make({ name: 'sized', size_mb: 32 }), 201);
  json(await make({ name: 'sized' }), 201);
  expect(faultOf(await make({ name: 'sized', size_mb: 64 }), 'volume_exists')).toMatchObject({
    volume: 'sized',
    size_mb: 32,
  });
  json(await make({ name: 'free' }), 201);
  faultOf(await make({ name: 'free', size_mb: 64 }), 'volume_exists');
  for (const size_mb of [0, 15, -1, 1.5, 2 ** 21, '32', null])
    faultOf(await make({ name: 'other', size_mb }), 'invalid_request');
  faultOf(await api.send('GET', '/v1/volumes/other'), 'volume_not_found');
  const wrong = { volumes: [{ name: 'sized', size_mb: 16 }] };
  faultOf(await api.sendJson('POST', '/v1/sandboxes', wrong), 'volume_exists');
  expect(await api.list()).toEqual([]);
});

test('what a volume holds is told in the answer for it', async () => {
  const { api } = used;
  json(await api.sendJson('POST', '/v1/volumes', { name: 'counted' }), 201);
  const body = randomBytes(3 * mebibyte);
  json(await api.send('PUT', volumeFilePath('counted', '', '/bytes'), { body }), 200);
  const count = async () => {
    const told = json(await api.send('GET', '/v1/volumes/counted'), 200);
    return (told as { size_bytes: number }).size_bytes;
  };
  // It may be some seconds old.
  await expect.poll(count).toBeGreaterThanOrEqual(3 * mebibyte);
  expect(await count()).toBeLessThan(4 * mebibyte);
});

describe.each(['overlay', 'btrfs'])('%s', (storage) => {
  const used = useDaemon({ args: ['--storage', storage, '--storage-pool-gb', '4'] });

  onEachIsolation(used, (isolation) => {
    test('the size is enforced inside, through a sandbox and without one', async () => {
      const { api } = used;
      const name = `small-${isolation}`;
      const path = `/mnt/${name}`;
      const volumes = [{ name, size_mb: 32 }];
      const { id } = await api.create({ isolation, volumes });
      const filled = await api.exec(id, `dd if=/dev/zero of=${path}/fill bs=1M count=64`);
      expect(filled.exit_code).not.toBe(0);
      expect(filled.stderr).toMatch(full);
      // The disk of the sandbox itself is another one.
      expect((await api.exec(id, 'dd if=/dev/zero of=/tmp/fill bs=1M count=64')).exit_code).toBe(0);
      await api.asRoot(id, `rm ${path}/fill`);
      await api.write(id, `${path}/kept`, 'kept');
      const large = randomBytes(48 * mebibyte);
      faultOf(await api.put(id, `${path}/large`, large), 'disk_full');
      const alone = (file: string) => volumeFilePath(name, '', file);
      faultOf(await api.send('PUT', alone('/large'), { body: large }), 'disk_full');
      faultOf(await api.send('PUT', alone('/kept'), { body: large }), 'disk_full');
      expect((await api.read(id, `${path}/kept`)).toString()).toBe('kept');
      expect(await api.names(id, path)).toEqual(expect.arrayContaining(['kept']));
      expect(await api.names(id, path)).not.toContain('large');
      // What the refused writes took is free again.
      const fits = randomBytes(16 * mebibyte);
      json(await api.send('PUT', alone('/fits'), { body: fits }), 200);
      await api.kill(id);
      const told = json(await api.send('GET', `/v1/volumes/${name}`), 200);
      expect(told).toMatchObject({ size_mb: 32, used_by: [] });
      expect((await api.send('DELETE', `/v1/volumes/${name}`)).status).toBe(204);
    });
  });
});
