import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  codeOf,
  faultOf,
  json,
  onEachIsolation,
  rawTar,
  useDaemon,
  volumeFilePath,
} from '../harness/index.ts';

const used = useDaemon();

const make = async (name: string): Promise<void> => {
  json(await used.api.sendJson('POST', '/v1/volumes', { name }), 201);
};
const put = (name: string, path: string, body: string | Uint8Array) =>
  used.api.send('PUT', volumeFilePath(name, '', path), { body });
const read = async (name: string, path: string): Promise<string> => {
  const answer = await used.api.send('GET', volumeFilePath(name, '', path));
  expect(answer.status, answer.body.toString().slice(0, 200)).toBe(200);
  return answer.body.toString();
};
const post = (name: string, route: string, body: unknown) =>
  used.api.sendJson('POST', `/v1/volumes/${name}/fs${route}`, body);

test('files of a volume are written, read, changed and removed without any sandbox', async () => {
  const { api } = used;
  await make('alone');
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  const digest = `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
  const written = await api.send('PUT', volumeFilePath('alone', '', '/a b/ü'), {
    body: bytes,
    headers: { 'Repr-Digest': digest },
  });
  expect(json(written, 200)).toMatchObject({ path: '/a b/ü', size: 256 });
  const head = await api.send('HEAD', volumeFilePath('alone', '', '/a b/ü'));
  expect(head.headers['content-length']).toBe('256');
  const part = await api.send('GET', volumeFilePath('alone', '', '/a b/ü'), {
    headers: { Range: 'bytes=10-12' },
  });
  expect([part.status, [...part.body]]).toEqual([206, [10, 11, 12]]);
  expect(
    json(await api.send('GET', volumeFilePath('alone', '/stat', '/a b/ü')), 200),
  ).toMatchObject({ type: 'file', size: 256, uid: 1000 });
  const listed = await api.send('GET', `${volumeFilePath('alone', '/dir', '/')}&recursive=true`);
  const { entries } = json(listed, 200) as { entries: { name: string }[] };
  expect(entries.map(({ name }) => name)).toEqual(['a b', 'ü']);
  expect(json(await api.send('GET', volumeFilePath('alone', '/du', '/')), 200)).toMatchObject({
    size_bytes: 256,
  });
  json(await post('alone', '/move', { from: '/a b/ü', to: '/moved' }), 200);
  json(await post('alone', '/copy', { from: '/moved', to: '/copied' }), 200);
  json(await post('alone', '/chmod', { path: '/copied', mode: '0600' }), 200);
  json(await post('alone', '/chown', { path: '/copied', user: 5, group: 6 }), 200);
  expect(
    json(await api.send('GET', volumeFilePath('alone', '/stat', '/copied')), 200),
  ).toMatchObject({ permissions: '0600', uid: 5, gid: 6, size: 256 });
  json(await put('alone', '/text', 'one two'), 200);
  const found = await post('alone', '/search', { path: '/', pattern: 'two' });
  expect(json(found, 200)).toMatchObject({ matches: [expect.objectContaining({ path: '/text' })] });
  json(await post('alone', '/replace', { path: '/', pattern: 'two', replacement: '2' }), 200);
  expect(await read('alone', '/text')).toBe('one 2');
  json(await post('alone', '/batch/remove', { paths: ['/text', '/moved'] }), 200);
  faultOf(await api.send('GET', volumeFilePath('alone', '', '/text')), 'file_not_found');
  expect((await api.send('DELETE', volumeFilePath('alone', '', '/copied'))).status).toBe(204);
});

test('archives and batches go into volumes and come out of them', async () => {
  const { api } = used;
  await make('packed');
  const tar = rawTar({ name: 'dir/file', content: 'in the archive' });
  const unpacked = await api.send('PUT', volumeFilePath('packed', '/archive', '/'), { body: tar });
  expect(json(unpacked, 200)).toMatchObject({ files: 1 });
  expect(await read('packed', '/dir/file')).toBe('in the archive');
  const packed = await api.send('GET', volumeFilePath('packed', '/archive', '/dir'));
  expect(packed.status).toBe(200);
  expect(packed.body.includes('in the archive')).toBe(true);
  const lines = ['x', 'y'].map((name) => JSON.stringify({ path: `/batch/${name}`, content: name }));
  const batch = await api.send('POST', '/v1/volumes/packed/fs/batch/write', {
    body: lines.join('\n'),
  });
  json(batch, 200);
  expect(await read('packed', '/batch/y')).toBe('y');
  // An archive that would land elsewhere does so no more than in a sandbox.
  const hostile = rawTar({ name: '../../escaped', content: 'x' });
  const refused = await api.send('PUT', volumeFilePath('packed', '/archive', '/'), {
    body: hostile,
  });
  faultOf(refused, 'unsafe_archive');
});

test('a volume that is not there, of another namespace or of another key, has no files', async () => {
  const { api } = used;
  await make('mine');
  json(await put('mine', '/secret', 'mine'), 200);
  faultOf(await api.send('GET', volumeFilePath('none', '', '/secret')), 'volume_not_found');
  faultOf(await put('none', '/secret', 'x'), 'volume_not_found');
  const elsewhere = `${volumeFilePath('mine', '', '/secret')}&namespace=other`;
  faultOf(await api.send('GET', elsewhere), 'volume_not_found');
  const { api: other } = await api.newKey({ namespaces: ['other'] });
  faultOf(await other.send('GET', volumeFilePath('mine', '', '/secret')), 'volume_not_found');
  faultOf(
    await other.send('PUT', volumeFilePath('mine', '', '/secret'), { body: 'x' }),
    'volume_not_found',
  );
  faultOf(await other.send('GET', '/v1/volumes/mine'), 'volume_not_found');
  faultOf(await other.send('DELETE', '/v1/volumes/mine'), 'volume_not_found');
  expect(json(await other.send('GET', '/v1/volumes'), 200)).toEqual([]);
  expect(await read('mine', '/secret')).toBe('mine');
  for (const name of ['..', '%2e%2e', 'UPPER', 'a.b', 'a/b', '-a', 'a'.repeat(64)]) {
    const answer = await api.send('GET', volumeFilePath(encodeURIComponent(name), '', '/x'));
    expect([name, codeOf(answer)]).toEqual([name, expect.stringMatching(/invalid|not_found/)]);
    expect(answer.status).toBeLessThan(500);
  }
});

onEachIsolation(used, (isolation) => {
  test('a guest and the API without it see the same files, with the owners of the guest', async () => {
    const { api } = used;
    const name = `both-${isolation}`;
    await make(name);
    json(await put(name, '/from-api', 'api'), 200);
    const { id } = await api.create({ isolation, volumes: [{ name }] });
    const seen = await api.exec(id, `cd /mnt/${name}; cat from-api; stat -c ' %U' from-api`);
    expect(seen.stdout).toBe('api user\n');
    await api.asRoot(id, `cd /mnt/${name}; echo -n root > from-root; chmod 600 from-root`);
    expect(await read(name, '/from-root')).toBe('root');
    const stat = await api.send('GET', volumeFilePath(name, '/stat', '/from-root'));
    expect(json(stat, 200)).toMatchObject({ uid: 0, permissions: '0600' });
    expect((await api.exec(id, `echo more >> /mnt/${name}/from-api`)).exit_code).toBe(0);
    expect(await read(name, '/from-api')).toBe('apimore\n');
    // Files stay reachable whatever becomes of the sandbox.
    await api.kill(id);
    expect(await read(name, '/from-root')).toBe('root');
  });

  test('what a guest plants in a volume leads nowhere', async () => {
    const { api } = used;
    const name = `planted-${isolation}`;
    const { id } = await api.create({ isolation, volumes: [{ name }] });
    await api.asRoot(
      id,
      `cd /mnt/${name}; ln -s /etc/passwd absolute; ln -s ../../../../../etc/passwd relative
       ln -s / top; ln -s /proc/self/root magic; mkfifo fifo; ln -s loop loop; mkdir d; ln -s /d/x dangling`,
    );
    const open = (path: string) => api.send('GET', volumeFilePath(name, '', path));
    for (const path of ['/absolute', '/relative', '/top/etc/passwd', '/magic/etc/passwd'])
      faultOf(await open(path), 'file_not_found');
    for (const path of ['/../../../../etc/passwd', '/d/../../../../../../etc/hostname'])
      faultOf(await open(path), 'file_not_found');
    // gVisor keeps FIFOs to itself.
    if (isolation === 'container') faultOf(await open('/fifo'), 'not_a_regular_file');
    faultOf(await open('/loop'), 'symlink_loop');
    // Written through, a link leads below the volume itself, as / of whoever has only the volume.
    json(await put(name, '/dangling', 'inside'), 200);
    expect(await read(name, '/d/x')).toBe('inside');
    expect((await api.exec(id, `cat /mnt/${name}/d/x`)).stdout).toBe('inside');
    expect((await api.exec(id, 'ls -d /d')).exit_code).not.toBe(0);
    await api.kill(id);
  });
});
