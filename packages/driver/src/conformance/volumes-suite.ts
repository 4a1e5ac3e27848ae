import { parseGuestPath, volumeNameSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox, SandboxSpec } from '../driver.ts';
import { expectFault, mebibyte, readFile, run, useHarness, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const shared = volumeNameSchema.parse('shared');
const path = parseGuestPath;

export function volumesSuite(subject: ConformanceSubject): void {
  describe('volumes', () => {
    const harness = useHarness(subject);
    let writer: DriverSandbox;
    let reader: DriverSandbox;
    let namespace: SandboxSpec['namespace'];
    beforeAll(async () => {
      namespace = harness.spec().namespace;
      await harness.driver.volumes.ensure(namespace, shared);
      await harness.driver.volumes.ensure(namespace, shared);
      writer = await harness.create({ volumes: [{ name: shared }] });
      reader = await harness.create({ volumes: [{ name: shared, read_only: true }] });
    });
    afterAll(async () => {
      await harness.removeAll();
      await harness.driver.volumes.remove(namespace, shared);
      await harness.driver.volumes.remove(namespace, shared);
    });

    test('are shared, through commands and through the API', async () => {
      await run(writer, 'echo from inside > /mnt/shared/inside');
      await writeFile(writer.files, '/mnt/shared/outside', 'from outside');
      expect(await readFile(writer.files, '/mnt/shared/inside')).toBe('from inside\n');
      expect(await readFile(reader.files, '/mnt/shared/inside')).toBe('from inside\n');
      const { stdout } = await run(reader, 'cd /mnt/shared; cat inside outside; stat -c %U inside');
      expect(stdout).toBe('from inside\nfrom outsideuser\n');
      expect((await run(writer, 'stat -c %U /mnt/shared/outside')).stdout).toBe('user\n');
    });

    test('are read-only where they are said to be, for root and the API too', async () => {
      for (const command of ['touch /mnt/shared/x', 'rm /mnt/shared/*', 'chmod 777 /mnt/shared']) {
        const result = await run(reader, command, { user: 'root' });
        expect(result.exitCode, command).not.toBe(0);
        expect(result.stderr, command).toMatch(/Read-only|EROFS/i);
      }
      await expectFault(reader.files.write(path('/mnt/shared/x')), 'read_only');
      await expectFault(reader.files.write(path('/mnt/shared/inside')), 'read_only');
      await expectFault(reader.files.remove(path('/mnt/shared/inside')), 'read_only');
      await expectFault(reader.files.makeDirectory(path('/mnt/shared/d/e')), 'read_only');
      const remount = 'mount -o remount,rw /mnt/shared || umount /mnt/shared';
      expect((await run(reader, remount, { user: 'root' })).exitCode).not.toBe(0);
    });

    test('are not removed with a directory', async () => {
      const busy = (directory: string) =>
        expectFault(writer.files.remove(path(directory), { recursive: true }), 'path_busy');
      await busy('/mnt/shared');
      await busy('/mnt');
      expect(await readFile(writer.files, '/mnt/shared/inside')).toBe('from inside\n');
    });

    test('outlive their sandboxes', async () => {
      const first = await harness.create({ volumes: [{ name: shared }] });
      await run(first, 'echo kept > /mnt/shared/kept');
      await harness.driver.remove(first.id);
      const second = await harness.create({ volumes: [{ name: shared }], user: 'root' });
      expect((await run(second, 'cat /mnt/shared/kept')).stdout).toBe('kept\n');
    });

    test('have files without any sandbox', async () => {
      const alone = volumeNameSchema.parse('alone');
      const files = await harness.driver.volumes.files(namespace, alone);
      await writeFile(files, '/data/from-api', 'api');
      const sandbox = await harness.create({ volumes: [{ name: alone }] });
      const inside =
        'cd /mnt/alone; cat data/from-api; echo guest > data/from-guest; ln -s /etc/passwd way-out';
      expect((await run(sandbox, inside)).stdout).toBe('api');
      expect(await readFile(files, '/data/from-guest')).toBe('guest\n');
      expect((await files.stat(path('/data/from-guest'))).uid).toBe(1000);
      await expectFault(readFile(files, '/way-out'), 'file_not_found');
      await expectFault(async () => {
        for await (const change of files.changes.list(path('/'))) expect(change).toBeUndefined();
      }, 'invalid_request');
      await harness.driver.remove(sandbox.id);
      expect(await harness.driver.volumes.files(namespace, alone)).toBe(files);
      await harness.driver.volumes.remove(namespace, alone);
      await expect(readFile(files, '/data/from-api')).rejects.toThrow();
      const fresh = await harness.driver.volumes.files(namespace, alone);
      await expectFault(readFile(fresh, '/data/from-api'), 'file_not_found');
      await harness.driver.volumes.remove(namespace, alone);
    });

    test('are held to their size, which outlasts whoever mounts them', async (context) => {
      if (subject.lacking?.diskLimit !== undefined) context.skip(subject.lacking.diskLimit);
      const small = volumeNameSchema.parse('small');
      const sizeBytes = 32 * mebibyte;
      const { volumes } = harness.driver;
      await volumes.ensure(namespace, small, { sizeBytes });
      await volumes.ensure(namespace, small, { sizeBytes: 2 * sizeBytes });
      for (const round of [1, 2]) {
        const sandbox = await harness.create({ volumes: [{ name: small }] });
        const fill = `head -c 60000000 /dev/zero > /mnt/small/${round} && echo fits`;
        const { stdout, stderr } = await run(sandbox, fill);
        expect(stdout).toBe('');
        expect(stderr).toMatch(/No space|quota/i);
        expect((await run(sandbox, 'head -c 60000000 /dev/zero > here && echo fits')).stdout).toBe(
          'fits\n',
        );
        await harness.driver.remove(sandbox.id);
      }
      const usage = await volumes.usage(namespace, small);
      expect(usage.sizeBytes).toBe(sizeBytes);
      expect(usage.usedBytes).toBeLessThanOrEqual(sizeBytes);
      const files = await volumes.files(namespace, small);
      await expectFault(writeFile(files, '/more', Buffer.alloc(sizeBytes)), 'disk_full');
      await files.remove(path('/1'));
      await volumes.remove(namespace, small);
    });

    test('are mounted where they are wanted', async () => {
      const sandbox = await harness.create({
        volumes: [
          { name: shared, path: '/srv/deep/data', read_only: true },
          { name: volumeNameSchema.parse('home'), path: '/home/user/work' },
        ],
      });
      await run(sandbox, 'echo here > work/file');
      expect(await readFile(sandbox.files, '/home/user/work/file')).toBe('here\n');
      const look = 'cat /srv/deep/data/inside; touch /srv/deep/data/x || echo refused; ls /mnt';
      expect((await run(sandbox, look)).stdout).toBe('from inside\nrefused\n');
      await expectFault(sandbox.files.write(path('/srv/deep/data/x')), 'read_only');
      await harness.driver.remove(sandbox.id);
      await harness.driver.volumes.remove(namespace, volumeNameSchema.parse('home'));
    });

    test('are never mounted through a link of a guest', async () => {
      const target = volumeNameSchema.parse('target');
      const volumes = [{ name: target, path: '/opt/place/here' }];
      const spec = harness.spec();
      const original = await harness.create(spec);
      for (const way of ['/proc/1', '/dev', '/etc', '/nowhere']) {
        await run(original, `rm -rf /opt/place; ln -s ${way} /opt/place`, { user: 'root' });
        const child = harness.spec({ volumes });
        const { driver } = harness;
        const forked = driver.fork(spec.id, [child]);
        await expectFault(forked, 'invalid_request');
      }
      expect((await run(original, 'ls /etc | grep -c here')).stdout).toBe('0\n');
      await harness.driver.volumes.remove(namespace, target);
    });
  });
}
