import { parseGuestPath } from '@sandport/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import { expectFault, readFile, useHarness, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const path = parseGuestPath;

/** Files that are read and written at once, without a stream. */
export function smallFilesSuite(subject: ConformanceSubject): void {
  describe('small files', () => {
    const harness = useHarness(subject);
    let sandbox: DriverSandbox;
    beforeAll(async () => {
      sandbox = await harness.create();
    });

    test('are written at once, and appear with the commit only', async () => {
      const target = path('/workspace/at once/file');
      await writeFile(sandbox.files, target, 'old');
      for (const contents of [Buffer.from('new'), Buffer.alloc(0), Buffer.alloc(100_000, 'x')]) {
        const before = await readFile(sandbox.files, target);
        await using writer = await sandbox.files.write(target, { mode: 0o600 });
        writer.writeSmall(contents);
        expect(await readFile(sandbox.files, target)).toBe(before);
        const written = await writer.commit();
        expect(written).toMatchObject({ bytes: contents.length, size: contents.length });
        expect(await sandbox.files.stat(target)).toMatchObject({
          permissions: '0600',
          size: contents.length,
          etag: written.etag,
        });
        expect(await readFile(sandbox.files, target)).toBe(contents.toString());
      }
    });

    test('are dropped without a commit', async () => {
      const target = path('/workspace/dropped/file');
      const writer = await sandbox.files.write(target);
      writer.writeSmall(Buffer.from('x'));
      await writer.abort();
      await writer.abort();
      await expectFault(sandbox.files.stat(target), 'file_not_found');
    });

    test('are put into a file that is there', async () => {
      const target = path('/workspace/patched');
      await writeFile(sandbox.files, target, 'abc');
      await using writer = await sandbox.files.patch(target, { offset: 1 });
      writer.writeSmall(Buffer.from('XYZ'));
      expect(await writer.commit()).toMatchObject({ bytes: 3, size: 4 });
      expect(await readFile(sandbox.files, target)).toBe('aXYZ');
    });

    test('are read at once up to a size', async () => {
      const target = path('/workspace/read');
      await writeFile(sandbox.files, target, 'text');
      await using file = await sandbox.files.open(target);
      expect(file.readSmall(3)).toBeUndefined();
      expect(file.readSmall(4)?.toString()).toBe('text');
      expect(file.currentEtag()).toBe(file.etag);
    });
  });
}
