import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import {
  expectNothingLeft,
  faultOf,
  filePath,
  onEachIsolation,
  rawTar,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();
const mebibyte = 2 ** 20;
const block = randomBytes(mebibyte);
const zeros = (mebibytes: number) => Readable.from(Array.from({ length: mebibytes }, () => block));

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation, { resources: { disk_mb: 64 } });
  const path = '/workspace/data';

  test('a file that does not fit is 507; the old one stays and the space comes back', async () => {
    const old = randomBytes(8 * mebibyte);
    await used.api.write(box.id, path, old);
    for (const announced of [true, false]) {
      const headers: Record<string, number> = announced ? { 'Content-Length': 200 * mebibyte } : {};
      const answer = await used.api.put(box.id, path, zeros(200), { headers });
      const fault = faultOf(answer, 'disk_full');
      expect(fault).toMatchObject({ path });
      expect(fault.error).toContain(path);
      const after = await used.api.read(box.id, path);
      expect(createHash('sha256').update(after).digest()).toEqual(
        createHash('sha256').update(old).digest(),
      );
      await expectNothingLeft(used, box.id);
    }
    // What the failed writes had taken can be used again.
    const large = randomBytes(30 * mebibyte);
    await used.api.write(box.id, '/workspace/large', large);
    expect((await used.api.read(box.id, '/workspace/large')).equals(large)).toBe(true);
    expect((await used.api.remove(box.id, '/workspace/large')).status).toBe(204);
  });

  test('a change in place or a copy that does not fit changes nothing', async () => {
    const old = randomBytes(20 * mebibyte);
    await used.api.write(box.id, path, old);
    const unchanged = async () => {
      expect((await used.api.read(box.id, path)).equals(old)).toBe(true);
      await expectNothingLeft(used, box.id);
    };
    const put = (query: string, mebibytes: number) =>
      used.api.send('PUT', `${filePath(box.id, '', path)}${query}`, { body: zeros(mebibytes) });
    // The first does not fit at all, the second only while its bytes are beside the file.
    for (const mebibytes of [200, 22]) {
      for (const query of ['&append=true', '&offset=20000000'])
        faultOf(await put(query, mebibytes), 'disk_full');
      await unchanged();
    }
    const post = (operation: string, to: string) =>
      used.api.sendJson('POST', `/v1/sandboxes/${box.id}/fs/${operation}`, {
        from: '/workspace',
        to,
      });
    await used.api.write(box.id, '/workspace/more', randomBytes(10 * mebibyte));
    faultOf(await post('copy', '/tmp/copy'), 'disk_full');
    expect((await used.api.statAnswer(box.id, '/tmp/copy')).status).toBe(404);
    expect((await used.api.remove(box.id, '/workspace/more')).status).toBe(204);
    await unchanged();
    // What was reserved and given up can be used again.
    expect((await put('&append=true', 1)).status).toBe(200);
    expect((await used.api.stat(box.id, path)).size).toBe(21 * mebibyte);
    expect((await used.api.remove(box.id, path)).status).toBe(204);
  });

  test('a disk that fills up within an archive is 507; what came before is whole', async () => {
    await used.api.remove(box.id, '/workspace/large');
    const files = Array.from({ length: 30 }, (_, number) => ({
      name: `file-${number}`,
      content: randomBytes(4 * mebibyte),
    }));
    const target = filePath(box.id, '/archive', '/workspace/tree');
    const answer = await used.api.send('PUT', target, { body: rawTar(...files) });
    faultOf(answer, 'disk_full');
    const entries = await used.api.entries(box.id, '/workspace/tree');
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.length).toBeLessThan(30);
    for (const { name, size } of entries) {
      expect(name).toMatch(/^file-\d+$/);
      expect(size).toBe(4 * mebibyte);
    }
    expect((await used.api.remove(box.id, '/workspace/tree')).status).toBe(204);
    await expectNothingLeft(used, box.id);
  });

  test('a disk that the guest has filled answers 507 and serves what is there', async () => {
    await used.api.write(box.id, path, 'small');
    const filled = await used.api.exec(box.id, 'head -c 200M /dev/zero > /tmp/filler', {
      user: 'root',
    });
    expect(filled.stderr).toMatch(/No space left/);
    const answer = await used.api.put(box.id, path, randomBytes(4 * mebibyte));
    faultOf(answer, 'disk_full');
    expect((await used.api.read(box.id, path)).toString()).toBe('small');
    // gVisor keeps the space of a file that the guest wrote until the guest removes it itself.
    if (isolation === 'gvisor') await used.api.asRoot(box.id, 'rm /tmp/filler');
    else expect((await used.api.remove(box.id, '/tmp/filler')).status).toBe(204);
    // The kernel frees a large file after its last descriptor is closed, behind the answer.
    await waitFor(async () => {
      const answer = await used.api.put(box.id, path, randomBytes(4 * mebibyte));
      return answer.status === 200;
    });
    await expectNothingLeft(used, box.id);
  });

  test('a disk without free inodes answers 507 too', async () => {
    const fill = `
import os
os.mkdir('/tmp/many')
try:
    for i in range(10**6): os.close(os.open(f'/tmp/many/{i}', os.O_CREAT))
except OSError as error: print(error.errno)
`;
    const filled = await used.api.execFields(box.id, {
      args: ['python3', '-c', fill],
      user: 'root',
    });
    expect(filled.stdout).toBe('28\n');
    faultOf(await used.api.put(box.id, '/workspace/one-more', 'x'), 'disk_full');
    faultOf(await used.api.mkdir(box.id, '/workspace/directory'), 'disk_full');
    if (isolation === 'gvisor') await used.api.asRoot(box.id, 'rm -r /tmp/many');
    else expect((await used.api.remove(box.id, '/tmp/many')).status).toBe(204);
    await expectNothingLeft(used, box.id);
  });
});
