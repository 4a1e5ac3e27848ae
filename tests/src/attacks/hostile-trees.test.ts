import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { directoryListingSchema } from '@sandport/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Canary,
  expectServing,
  faultOf,
  filePath,
  json,
  onEachIsolation,
  runDirOf,
  temporaryPrefix,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();
let canary: Canary;
beforeAll(() => {
  canary = new Canary();
});
afterAll(() => canary.remove());

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation, { volumes: [{ name: `kept-${isolation}` }] });
  const python = async (program: string, user = 'root') => {
    const result = await used.api.execFields(box.id, { args: ['python3', '-c', program], user });
    expect(result).toMatchObject({ exit_code: 0, stderr: '' });
    return result.stdout;
  };

  test('a tree deeper than any path may be long is listed at its top and removed', async () => {
    await python(`
import os
os.mkdir('/tmp/deep'); os.chdir('/tmp/deep')
for i in range(300):
    os.mkdir('d' * 200); os.chdir('d' * 200)
os.symlink('${canary.directory}', 'out')
open('bottom', 'w').close()
`);
    expect(await used.api.names(box.id, '/tmp/deep')).toEqual(['d'.repeat(200)]);
    expect((await used.api.remove(box.id, '/tmp/deep')).status).toBe(204);
    faultOf(await used.api.statAnswer(box.id, '/tmp/deep'), 'file_not_found');
    canary.expectUntouched();
  });

  test('10,000 entries, hostile names among them, are listed in order and removed', async () => {
    await python(`
import os
os.mkdir('/tmp/many'); os.chdir('/tmp/many')
for i in range(9990): open(f'{i:05}', 'w').close()
for name in ['\\n', '\\x01\\x02', '\\x1b[2J', '"', '{"name":1}', '<script>']:
    open(name, 'w').close()
os.symlink('${canary.directory}', 'out')
os.symlink('x' * 4000, 'long')
os.symlink('\\n\\x1b]0;x\\x07', 'strange')
os.mkdir('\\u202egnp.exe')
`);
    const entries = await used.api.entries(box.id, '/tmp/many');
    expect(entries).toHaveLength(10_000);
    const names = entries.map(({ name }) => Buffer.from(name));
    expect(names.toSorted(Buffer.compare)).toEqual(names);
    expect(entries.find(({ name }) => name === 'long')?.symlink_target).toBe('x'.repeat(4000));
    expect(entries.find(({ name }) => name === 'strange')?.symlink_target).toBe('\n\x1b]0;x\x07');
    expect((await used.api.remove(box.id, '/tmp/many')).status).toBe(204);
    canary.expectUntouched();
  });

  test('a directory that would fill the memory comes in pages', async () => {
    await python(`
import os
os.mkdir('/tmp/heavy'); os.chdir('/tmp/heavy')
for i in range(9000): os.symlink('x' * 4000, str(i))
`);
    const page = async (cursor = '') => {
      const answer = await used.api.send(
        'GET',
        `${filePath(box.id, '/dir', '/tmp/heavy')}${cursor}`,
      );
      return directoryListingSchema.parse(json(answer, 200));
    };
    const first = await page();
    expect(first.truncated).toBe(true);
    const rest = await page(`&cursor=${first.cursor ?? ''}`);
    expect(rest.truncated).toBe(false);
    expect(first.entries.length + rest.entries.length).toBe(9000);
    expect((await used.api.remove(box.id, '/tmp/heavy')).status).toBe(204);
  });

  test('files of the guest that are named like temporary ones of ours stay what they are', async () => {
    const ours = `${temporaryPrefix}${'0'.repeat(18)}`;
    await python(`
import os
os.makedirs('/tmp/ours/${ours}')
os.symlink('${canary.file}', '/tmp/ours/${temporaryPrefix}link')
for i in range(1, 201): os.symlink('${canary.file}', f'/tmp/ours/${temporaryPrefix}{i:018x}')
`);
    await used.api.write(box.id, '/tmp/ours/file', 'written');
    await used.api.write(box.id, '/tmp/ours/file', 'written again');
    expect((await used.api.names(box.id, '/tmp/ours')).length).toBe(203);
    await used.api.write(box.id, `/tmp/ours/${temporaryPrefix}mine`, 'a name like any other');
    canary.expectUntouched();
    expect((await used.api.remove(box.id, '/tmp/ours')).status).toBe(204);
  });

  test('a write takes the set-id bits away and keeps the rest of mode and owner', async () => {
    await used.api.asRoot(
      box.id,
      'cd /tmp; cp /bin/true setuid; chown 0:0 setuid; chmod 6755 setuid; cp setuid plain; chown 1000:0 plain; chmod 640 plain',
    );
    await used.api.write(box.id, '/tmp/setuid', '#!/bin/sh\nid -u\n');
    await used.api.write(box.id, '/tmp/plain', 'x');
    expect(await used.api.stat(box.id, '/tmp/setuid')).toMatchObject({
      permissions: '0755',
      uid: 0,
      gid: 0,
    });
    expect(await used.api.stat(box.id, '/tmp/plain')).toMatchObject({
      permissions: '0640',
      uid: 1000,
      gid: 0,
    });
    const put = (mode: string) =>
      used.api.send('PUT', `/v1/sandboxes/${box.id}/fs?path=/tmp/new&mode=${mode}`);
    for (const mode of ['07777', '10755', '8', '-1']) faultOf(await put(mode), 'invalid_request');
    // Asked for by name they are given: the file belongs to somebody in the sandbox.
    expect((await put('4755')).status).toBe(200);
    expect(await used.api.stat(box.id, '/tmp/new')).toMatchObject({ permissions: '4755' });
  });

  test('a set-id program of the guest is nothing on the host', async () => {
    await used.api.asRoot(box.id, 'cp /bin/true /tmp/suid; chmod 4755 /tmp/suid');
    const onHost = join(used.daemon.dataDir, 'sandboxes', box.id, 'disk', 'upper', 'tmp', 'suid');
    if (!existsSync(onHost)) throw new Error('the sandbox keeps its files elsewhere');
    expect(statSync(onHost).mode & 0o777).toBe(0o755);
    // Its owner may be a number that means root on the host: only root comes to it, on the disk...
    const gate = statSync(join(used.daemon.dataDir, 'sandboxes', box.id));
    expect(gate.mode & 0o077).toBe(0);
    // ...and where it is mounted, in a directory that everybody walks through.
    const mounted = join(runDirOf(used.daemon), 'roots', box.id, 'root', 'tmp', 'suid');
    expect(statSync(mounted).mode & 0o7777).toBe(0o4755);
    const asNobody = { uid: 65_534, gid: 65_534, cwd: '/' };
    expect(spawnSync(mounted, asNobody).error).toMatchObject({ code: 'EACCES' });
  });

  test('a write to one of several hard links leaves the others as they were', async () => {
    await used.api.asRoot(box.id, 'cd /tmp; echo old > one; ln one two; ln /etc/hostname host');
    const hostname = await used.api.asRoot(box.id, 'cat /etc/hostname');
    await used.api.write(box.id, '/tmp/one', 'new');
    await used.api.write(box.id, '/tmp/host', 'new');
    expect(await used.api.asRoot(box.id, 'cd /tmp; cat one two; cat /etc/hostname')).toBe(
      `newold\n${hostname}`,
    );
  });

  test('removing a tree stops at a volume that is mounted in it', async () => {
    const mount = `/mnt/kept-${isolation}`;
    await used.api.write(box.id, `${mount}/data/file`, 'kept');
    for (const path of ['/mnt', mount]) {
      faultOf(await used.api.remove(box.id, path), 'path_busy');
      expect((await used.api.read(box.id, `${mount}/data/file`)).toString()).toBe('kept');
    }
    // Below the mount point it is a tree like others.
    expect((await used.api.remove(box.id, `${mount}/data`)).status).toBe(204);
    expect(await used.api.names(box.id, mount)).toEqual([]);
  });

  test('a guest that has destroyed its own tree is still served, and deleted', async () => {
    const doomed = await used.api.create({ isolation });
    await used.api.exec(doomed.id, 'rm -rf --one-file-system / --no-preserve-root 2>/dev/null', {
      user: 'root',
    });
    const answer = await used.api.listing(doomed.id, '/');
    expect(answer.status).toBe(200);
    await used.api.write(doomed.id, '/workspace/again', 'x');
    expect((await used.api.read(doomed.id, '/workspace/again')).toString()).toBe('x');
    await used.api.kill(doomed.id);
    await expectServing(used, box.id);
  });

  test('times, sizes and modes that a guest makes up are told without harm', async () => {
    await python(`
import os
open('/tmp/odd', 'w').truncate(2**40)
os.utime('/tmp/odd', (2**33, 2**33)); os.chmod('/tmp/odd', 0o7777)
open('/tmp/early', 'w'); os.utime('/tmp/early', (-1, -1))
`);
    expect(await used.api.stat(box.id, '/tmp/odd')).toMatchObject({
      size: 2 ** 40,
      permissions: '7777',
    });
    expect((await used.api.stat(box.id, '/tmp/early')).mtime).toBeLessThanOrEqual(0);
    const head = await used.api.open(box.id, '/tmp/odd', { headers: { Range: 'bytes=-5' } });
    expect(head.body).toEqual(Buffer.alloc(5));
    expect((await used.api.remove(box.id, '/tmp/odd')).status).toBe(204);
  });
});
