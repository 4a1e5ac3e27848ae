import { parseGuestPath, volumeNameSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox, SandboxSpec } from '../driver.ts';
import { expectFault, readFile, run, useHarness, writeFile } from './harness.ts';
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
  });
}
