import { expect, test } from 'vitest';
import { faultOf, onEachIsolation, useDaemon } from '../harness/index.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const name = `data-${isolation}`;
  const path = `/mnt/${name}`;

  test('a volume outlives its sandboxes, and two see the same files', async () => {
    const { api } = used;
    const volumes = [{ name }];
    const first = await api.create({ isolation, volumes });
    const second = await api.create({ isolation, volumes });
    await api.write(first.id, `${path}/from-api`, 'api');
    await api.exec(first.id, `echo -n guest > ${path}/from-guest`);
    const seen = await api.exec(second.id, `cat ${path}/from-api ${path}/from-guest`);
    expect(seen.stdout).toBe('apiguest');
    expect((await api.read(second.id, `${path}/from-guest`)).toString()).toBe('guest');
    expect(first.volumes).toEqual(volumes);
    await api.kill(first.id);
    await api.kill(second.id);
    const third = await api.create({ isolation, volumes });
    expect(await api.names(third.id, path)).toEqual(['from-api', 'from-guest']);
    // The owner inside is the same, whatever ids the host gave the sandbox.
    const owner = await api.exec(third.id, `stat -c %U ${path}/from-guest`);
    expect(owner.stdout).toBe('user\n');
    await api.kill(third.id);
  });

  test('read_only is the word of the kernel, inside and through the API', async () => {
    const { api } = used;
    const seed = await api.create({ isolation, volumes: [{ name }] });
    await api.write(seed.id, `${path}/kept`, 'kept');
    await api.kill(seed.id);
    const { id } = await api.create({ isolation, volumes: [{ name, read_only: true }] });
    expect((await api.read(id, `${path}/kept`)).toString()).toBe('kept');
    for (const cmd of [
      `echo x > ${path}/kept`,
      `touch ${path}/new`,
      `rm ${path}/kept`,
      `mkdir ${path}/dir`,
      `chmod 777 ${path}/kept`,
      `mount -o remount,rw ${path} && touch ${path}/new`,
    ]) {
      const result = await api.exec(id, cmd, { user: 'root' });
      expect(result.exit_code, cmd).not.toBe(0);
      if (!cmd.startsWith('mount')) expect(result.stderr).toMatch(/Read-only file system/);
    }
    faultOf(await api.put(id, `${path}/kept`, 'x'), 'read_only');
    faultOf(await api.put(id, `${path}/new`, 'x'), 'read_only');
    faultOf(await api.mkdir(id, `${path}/dir/deep`), 'read_only');
    faultOf(await api.remove(id, `${path}/kept`), 'read_only');
    expect(await api.names(id, path)).toContain('kept');
    expect((await api.read(id, `${path}/kept`)).toString()).toBe('kept');
    await api.kill(id);
  });

  test('a volume in use cannot be deleted; one that is not, goes with its data', async () => {
    const { api } = used;
    const volume = `/v1/volumes/${name}`;
    const { id } = await api.create({ isolation, volumes: [{ name }] });
    expect(faultOf(await api.send('DELETE', volume), 'volume_in_use')).toMatchObject({
      volume: name,
      sandboxes: [id],
    });
    const told = await api.send('GET', volume);
    expect(JSON.parse(told.body.toString())).toMatchObject({ name, used_by: [id] });
    await api.kill(id);
    expect((await api.send('DELETE', volume)).status).toBe(204);
    faultOf(await api.send('GET', volume), 'volume_not_found');
    const again = await api.create({ isolation, volumes: [{ name }] });
    expect(await api.names(again.id, path)).toEqual([]);
    await api.kill(again.id);
  });

  test('volumes of two namespaces with one name are two', async () => {
    const { api } = used;
    const volumes = [{ name: 'same' }];
    const ours = await api.create({ isolation, volumes });
    const theirs = await api.create({ isolation, volumes, namespace: 'theirs' });
    await api.write(ours.id, '/mnt/same/secret', 'ours');
    faultOf(await api.open(theirs.id, '/mnt/same/secret'), 'file_not_found');
    await api.kill(ours.id);
    await api.kill(theirs.id);
  });

  test('a guest that makes links in a volume catches neither the next sandbox nor the host', async () => {
    const { api } = used;
    const volumes = [{ name }];
    const attacker = await api.create({ isolation, volumes });
    await api.asRoot(
      attacker.id,
      `cd ${path}; ln -s /etc/shadow shadow; ln -s / root; ln -s ../../../etc up`,
    );
    const victim = await api.create({ isolation, volumes });
    const own = await api.asRoot(victim.id, 'cat /etc/shadow');
    expect((await api.read(victim.id, `${path}/shadow`)).toString()).toBe(own);
    expect((await api.read(victim.id, `${path}/root/etc/shadow`)).toString()).toBe(own);
    await api.kill(attacker.id);
    await api.kill(victim.id);
    expect((await api.send('DELETE', `/v1/volumes/${name}`)).status).toBe(204);
  });
});

test('volumes are made, listed and deleted on their own', async () => {
  const { api } = used;
  const made = await api.sendJson('POST', '/v1/volumes', { name: 'alone' });
  expect(made.status).toBe(201);
  // Making it again is no error.
  expect((await api.sendJson('POST', '/v1/volumes', { name: 'alone' })).status).toBe(201);
  const listed = await api.send('GET', '/v1/volumes?namespace=default');
  expect(JSON.parse(listed.body.toString())).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: 'alone', used_by: [] })]),
  );
  expect((await api.send('DELETE', '/v1/volumes/alone')).status).toBe(204);
  faultOf(await api.send('DELETE', '/v1/volumes/alone'), 'volume_not_found');
});
