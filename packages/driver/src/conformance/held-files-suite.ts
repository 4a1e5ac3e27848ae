import { parseGuestPath } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import { expectFault, run, useHarness } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const path = parseGuestPath;

/** Files that are read and written in place. */
export function heldFilesSuite(subject: ConformanceSubject): void {
  describe('held files', () => {
    const harness = useHarness(subject);
    let sandbox: DriverSandbox;
    beforeAll(async () => {
      sandbox = await harness.create({});
    });
    afterAll(() => harness.removeAll());
    const inside = async (command: string) => (await run(sandbox, command)).stdout;

    test('programs inside and the holder see the same bytes, at once', async () => {
      const options = { write: true, create: true, exclusive: true, mode: 0o640 };
      await using file = await sandbox.files.hold(path('/tmp/held'), options);
      await file.write(Buffer.from('held file'), 0);
      expect(
        await inside('cat /tmp/held; printf F | dd of=/tmp/held bs=1 seek=5 conv=notrunc'),
      ).toBe('held file');
      const bytes = Buffer.alloc(4);
      expect(await file.read(bytes, 5)).toBe(4);
      expect(String(bytes)).toBe('File');
      await file.change({ sizeBytes: 4, mode: 0o600, mtimeNs: 1_500_000_000_000_000_000n });
      await file.sync();
      expect(await inside('cat /tmp/held; stat -c " %a %U %Y" /tmp/held')).toBe(
        'held 600 user 1500000000\n',
      );
      expect(file.stat()).toMatchObject({ size: 4, permissions: '0600' });
      await expectFault(sandbox.files.hold(path('/tmp/held'), options), 'already_exists');
      await expectFault(sandbox.files.hold(path('/tmp/none')), 'file_not_found');
      await expectFault(sandbox.files.hold(path('/tmp')), 'is_directory');
    });

    test('a directory can be asked to be new, and a path where it leads', async () => {
      await sandbox.files.makeDirectory(path('/tmp/new'), { exclusive: true, mode: 0o700 });
      expect(await inside('stat -c "%a %U" /tmp/new; ln -s /tmp/new /tmp/to-new')).toBe(
        '700 user\n',
      );
      const again = (where: string) =>
        sandbox.files.makeDirectory(path(where), { exclusive: true });
      await expectFault(again('/tmp/new'), 'already_exists');
      await expectFault(again('/tmp/none/new'), 'file_not_found');
      expect(await sandbox.files.realPath(path('/tmp/to-new/../to-new/x'))).toBe('/tmp/new/x');
      const { blockBytes, blocks } = await sandbox.files.space(path('/tmp'));
      expect(blockBytes * blocks).toBeGreaterThan(0n);
    });
  });
}
