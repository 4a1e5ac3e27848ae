import { finished } from 'node:stream/promises';
import { buffer } from 'node:stream/consumers';
import { parseGuestPath, volumeNameSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox, SandboxSpec } from '../driver.ts';
import type { StagedFileRef } from '../files/staged-file.ts';
import { expectFault, readFile, run, useHarness, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const volume = volumeNameSchema.parse('staged');
const path = parseGuestPath;

export function stagedFilesSuite(subject: ConformanceSubject): void {
  describe('files in several pieces', () => {
    const harness = useHarness(subject);
    let sandbox: DriverSandbox;
    let reader: DriverSandbox;
    let namespace: SandboxSpec['namespace'];
    beforeAll(async () => {
      namespace = harness.spec().namespace;
      await harness.driver.volumes.ensure(namespace, volume);
      sandbox = await harness.create({ volumes: [{ name: volume }] });
      reader = await harness.create({ volumes: [{ name: volume, read_only: true }] });
    });
    afterAll(async () => {
      await harness.removeAll();
      await harness.driver.volumes.remove(namespace, volume);
    });

    const append = async (ref: StagedFileRef, offset: number, text: string): Promise<number> => {
      await using appended = await sandbox.files.staged.append(ref, offset);
      appended.stream.end(text);
      await finished(appended.stream);
      return appended.bytes;
    };

    test.each(['/workspace', '/mnt/staged', '/etc'])('appear whole in %s', async (directory) => {
      const { staged } = sandbox.files;
      const target = path(`${directory}/new/file`);
      const ref = await staged.create(target);
      expect(await append(ref, 0, 'first ')).toBe(6);
      expect(await append(ref, 6, 'second?!')).toBe(8);
      await staged.truncate(ref, 13);
      expect(await staged.size(ref)).toBe(13);
      expect((await buffer(await staged.read(ref))).toString()).toBe('first second?');
      const before = await run(sandbox, `stat -c '%a %U' ${directory}/new/.sandport-upload-*`);
      expect(before.stdout).toBe('600 user\n');
      const written = await staged.publish(ref, target, { mode: 0o640, mtimeNs: 5_000_000_000n });
      expect(written).toMatchObject({ bytes: 13, size: 13 });
      expect((await sandbox.files.stat(target)).etag).toBe(written.etag);
      const after = await run(
        sandbox,
        `cd ${directory}/new; ls -A; cat file; stat -c ' %a %U %Y' file`,
      );
      expect(after.stdout).toBe('file\nfirst second? 640 user 5\n');
      await staged.discard(ref);
      expect(await readFile(sandbox.files, target)).toBe('first second?');
    });

    test('keep what came before an error', async () => {
      const { staged } = sandbox.files;
      const ref = await staged.create(path('/workspace/cut'));
      const appended = await staged.append(ref, 0);
      await new Promise((resolve) => appended.stream.write('kept', resolve));
      appended.stream.destroy(new Error('the connection broke'));
      await appended.close();
      await appended.close();
      expect([appended.bytes, await staged.size(ref)]).toEqual([4, 4]);
      await expectFault(staged.append(ref, 5), 'path_busy');
      await staged.discard(ref);
      await staged.discard(ref);
      expect(await staged.size(ref)).toBeUndefined();
      await expectFault(staged.append(ref, 4), 'file_not_found');
      await expectFault(staged.read(ref), 'file_not_found');
      await expectFault(staged.publish(ref, path('/workspace/cut')), 'file_not_found');
    });

    test('look at the precondition at their begin and at their end', async () => {
      const { staged } = sandbox.files;
      const target = path('/workspace/guarded');
      const precondition = (etag: string | undefined) => etag === undefined;
      const ref = await staged.create(target, { precondition });
      await writeFile(sandbox.files, target, 'theirs');
      await expectFault(staged.publish(ref, target, { precondition }), 'precondition_failed');
      await expectFault(staged.create(target, { precondition }), 'precondition_failed');
      expect(await readFile(sandbox.files, target)).toBe('theirs');
      await staged.discard(ref);
    });

    test('are refused where writes are', async () => {
      const refused = (name: string) => sandbox.files.staged.create(path(name));
      await expectFault(refused('/workspace'), 'is_directory');
      await expectFault(refused('/etc/passwd/x'), 'not_a_directory');
      await expectFault(refused('/dev/shm/x'), 'not_a_regular_file');
      await expectFault(reader.files.staged.create(path('/mnt/staged/x')), 'read_only');
    });

    test('are broken by a guest that replaces them, and lead nowhere else', async () => {
      const { staged } = sandbox.files;
      const passwd = await readFile(sandbox.files, '/etc/passwd');
      for (const meddle of [
        'ln -sf /etc/passwd',
        'ln -f /etc/passwd',
        'cp --remove-destination /etc/passwd',
      ]) {
        const ref = await staged.create(path('/workspace/meddled/file'));
        await append(ref, 0, 'mine');
        const meddled = await run(sandbox, `${meddle} ${ref.path}`, { user: 'root' });
        expect(meddled, meddle).toMatchObject({ exitCode: 0, stderr: '' });
        expect(await staged.size(ref), meddle).toBeUndefined();
        await expectFault(staged.append(ref, 4), 'file_not_found');
        await expectFault(staged.truncate(ref, 0), 'file_not_found');
        await expectFault(staged.publish(ref, path('/workspace/meddled/file')), 'file_not_found');
        await staged.discard(ref);
      }
      expect(await readFile(sandbox.files, '/etc/passwd')).toBe(passwd);
    });
  });
}
