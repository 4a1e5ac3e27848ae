import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConflictError, NotFoundError, Sandbox, StorageFullError } from 'sandport';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onEachIsolation, testRun, useDaemon } from '../harness/index.ts';
import { clientOf, failure } from './sdk-sandbox.ts';

const used = useDaemon();
const unique = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;

let local = '';
beforeAll(() => {
  local = mkdtempSync(join(testRun().tempDir, 'sdk-volumes-'));
  mkdirSync(join(local, 'tree/sub'), { recursive: true });
  writeFileSync(join(local, 'tree/a.txt'), 'alpha\n');
  writeFileSync(join(local, 'tree/sub/b.txt'), 'beta\n');
});
afterAll(() => rmSync(local, { recursive: true }));

test('files of a volume without any sandbox', async () => {
  const { volumes } = clientOf(used);
  const volume = await volumes.create(unique('data'), { namespace: 'team' });
  const { files } = volume;
  expect(await files.uploadDir(join(local, 'tree'), '/in')).toMatchObject({ files: 2 });
  expect((await files.list('/', { recursive: true })).map(({ path }) => path)).toEqual([
    '/in',
    '/in/a.txt',
    '/in/sub',
    '/in/sub/b.txt',
  ]);
  const again = await files.syncDir(join(local, 'tree'), '/in');
  expect(again).toMatchObject({ created: 0, updated: 0, unchanged: 3 });
  await files.write('/in/c.txt', 'gamma\n');
  await files.downloadDir('/in', join(local, 'back'));
  expect(await readFile(join(local, 'back/c.txt'), 'utf8')).toBe('gamma\n');
  expect((await files.search('gamma')).matches).toMatchObject([{ path: '/in/c.txt', line: 1 }]);
  expect(await failure(files.read('/none'))).toMatchObject({ code: 'file_not_found' });

  // A large file goes in one piece: there are no uploads in parts.
  const large = join(local, 'large');
  writeFileSync(large, randomBytes(1024 * 1024 + 1));
  const up = await files.upload(large, '/large', { resumableAboveBytes: 1024 });
  expect(up.bytes).toBe(1024 * 1024 + 1);
  await files.download('/large', join(local, 'large-back'));
  const both = await Promise.all([large, join(local, 'large-back')].map((path) => readFile(path)));
  expect(both[0]?.equals(both[1] ?? Buffer.alloc(0))).toBe(true);

  await using watch = await files.watch('/in');
  await files.remove('/in/c.txt');
  for await (const event of watch) {
    expect(event).toMatchObject({ type: 'removed', path: '/in/c.txt' });
    break;
  }
  // Neither a template to compare with nor links.
  expect(await failure(files.changes())).toBeInstanceOf(NotFoundError);
  expect(await failure(files.createLink('/large'))).toBeInstanceOf(NotFoundError);
  await volume.delete();
  expect(await failure(volume.refresh())).toBeInstanceOf(NotFoundError);
  expect(await failure(files.read('/large'))).toBeInstanceOf(NotFoundError);
});

onEachIsolation(used, (isolation) => {
  test('a volume with a limit, at a place of its own, read-only for one', async () => {
    const client = clientOf(used);
    const name = unique('small');
    const volumes = [{ name, path: '/srv/data', sizeMb: 16 }];
    await using writer = await Sandbox.create({ isolation, volumes }, client);
    const reading = [{ name, readOnly: true }];
    await using reader = await Sandbox.create({ isolation, volumes: reading }, client);
    await writer.exec('echo kept > /srv/data/file', { check: true });
    expect((await reader.exec(`cat /mnt/${name}/file`)).stdout).toBe('kept\n');
    const written = await failure(reader.filesystem.write(`/mnt/${name}/file`, 'x'));
    expect(written).toMatchObject({ code: 'read_only' });

    const volume = await client.volumes.get(name);
    expect(volume.info).toMatchObject({ size_mb: 16, size_bytes: expect.any(Number) });
    expect(volume.info.used_by.toSorted()).toEqual([writer.id, reader.id].toSorted());
    const full = volume.files.write('/big', Buffer.alloc(32 * 1024 * 1024));
    expect(await failure(full)).toBeInstanceOf(StorageFullError);
    expect(await volume.files.exists('/big')).toBe(false);
    expect(await failure(volume.delete())).toBeInstanceOf(ConflictError);
    await writer.kill();
    await reader.kill();
    await volume.delete();
  });
});
