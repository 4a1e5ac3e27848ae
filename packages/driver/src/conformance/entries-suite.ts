import { finished } from 'node:stream/promises';
import { parseGuestPath, volumeNameSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox, SandboxSpec } from '../driver.ts';
import type { PatchFileOptions } from '../files/index.ts';
import { expectFault, readFile, run, useHarness, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const path = parseGuestPath;
const volume = volumeNameSchema.parse('entries');

/** What is done to entries, and to files that are there. */
export function entriesSuite(subject: ConformanceSubject): void {
  describe('entries', () => {
    const harness = useHarness(subject);
    let sandbox: DriverSandbox;
    let namespace: SandboxSpec['namespace'];
    beforeAll(async () => {
      namespace = harness.spec().namespace;
      await harness.driver.volumes.ensure(namespace, volume);
      sandbox = await harness.create({ volumes: [{ name: volume }] });
    });
    afterAll(async () => {
      await harness.removeAll();
      await harness.driver.volumes.remove(namespace, volume);
    });

    const inside = async (command: string) =>
      (await run(sandbox, command, { user: 'root' })).stdout;

    const patch = async (file: string, content: string, options?: PatchFileOptions) => {
      await using writer = await sandbox.files.patch(path(file), options);
      writer.stream.end(content);
      await finished(writer.stream);
      return writer.commit();
    };

    test('a write sets what is given, on a file that was there, too', async () => {
      await inside('echo old > /srv/given; chmod 640 /srv/given; chown 1:2 /srv/given');
      const given = { mode: 0o4711, owner: { uid: 7 }, mtimeNs: 1_500_000_000_000_000_001n };
      const written = await writeFile(sandbox.files, '/srv/given', 'new', given);
      expect(written).toMatchObject({ bytes: 3, size: 3 });
      expect(await inside('stat -c "%a %u:%g %.Y" /srv/given')).toBe(
        '4711 7:2 1500000000.000000001\n',
      );
      expect((await sandbox.files.stat(path('/srv/given'))).etag).toBe(written.etag);
      await writeFile(sandbox.files, '/srv/durable/file', 'x', { durable: true });
      await expectFault(
        sandbox.files.write(path('/srv/none/file'), { createParents: false }),
        'file_not_found',
      );
    });

    test('a precondition is looked at before and at the end', async () => {
      const isNew = { precondition: (etag: string | undefined) => etag === undefined };
      await using writer = await sandbox.files.write(path('/srv/late'), isNew);
      writer.stream.end('late');
      await finished(writer.stream);
      await inside('echo first > /srv/late');
      await expectFault(writer.commit(), 'precondition_failed');
      await expectFault(sandbox.files.write(path('/srv/late'), isNew), 'precondition_failed');
      await expectFault(sandbox.files.patch(path('/srv/late'), isNew), 'precondition_failed');
      expect(await readFile(sandbox.files, '/srv/late')).toBe('first\n');
    });

    test('a patch changes the file that is there, one after the other', async () => {
      await inside('echo one > /srv/log; ln /srv/log /srv/same-log');
      expect(await patch('/srv/log', 'two\n')).toMatchObject({ bytes: 4, size: 8 });
      await patch('/srv/log', 'ONE', { offset: 0 });
      expect(await inside('cat /srv/same-log')).toBe('ONE\ntwo\n');
      await Promise.all(Array.from({ length: 10 }, (_, index) => patch('/srv/many', `${index}\n`)));
      expect(await inside('sort /srv/many | tr -d "\\n"')).toBe('0123456789');
      await expectFault(patch('/etc', 'x'), 'is_directory');
    });

    test('an open file tells when it has changed', async () => {
      await writeFile(sandbox.files, '/srv/changing', 'before');
      await using file = await sandbox.files.open(path('/srv/changing'));
      expect(file.currentEtag()).toBe(file.etag);
      await inside('printf AFTER! > /srv/changing');
      expect(file.currentEtag()).not.toBe(file.etag);
    });

    test('trees are moved and copied with all they have, to volumes too', async () => {
      await inside(
        'mkdir -p /srv/tree/sub/empty; cd /srv/tree; echo text > file; ln file sub/hard; ' +
          'ln -s ../file sub/link; chmod 4751 file; chmod 2755 sub; chown -h 5:6 sub/link; ' +
          'touch -d @1000000000 file sub/empty sub .',
      );
      const tree = (at: string) =>
        inside(`cd ${at}; find . -printf '%p %y %m %U:%G %l %n %T@\\n' | grep -v /link | sort`);
      const before = await tree('/srv/tree');
      await sandbox.files.copy(path('/srv/tree'), path('/srv/other/copy'));
      await sandbox.files.copy(path('/srv/tree'), path('/mnt/entries/copy'));
      let from = '/srv/tree';
      for (const to of ['/mnt/entries/tree', '/srv/other/tree', '/srv/new/tree']) {
        await sandbox.files.move(path(from), path(to));
        expect(await tree(to)).toBe(before);
        from = to;
      }
      expect(await tree('/srv/other/copy')).toBe(before);
      expect(await tree('/mnt/entries/copy')).toBe(before);
      expect(await inside('stat -c %u:%g /srv/new/tree/sub/link')).toBe('5:6\n');
      expect(await inside('ls -A /srv/other /mnt/entries')).not.toContain('tree\n');
    });

    test('nothing is replaced, and no mount moved, by mistake', async () => {
      await inside('mkdir -p /srv/a/b; echo x > /srv/x; echo y > /srv/y');
      const { files } = sandbox;
      for (const transfer of [files.move.bind(files), files.copy.bind(files)]) {
        await expectFault(transfer(path('/srv/x'), path('/srv/y')), 'already_exists');
        await expectFault(transfer(path('/srv/a'), path('/srv/a/b/c')), 'invalid_path');
        await expectFault(transfer(path('/srv/x'), path('/dev/x')), 'not_a_regular_file');
        await expectFault(transfer(path('/srv/none'), path('/srv/z')), 'file_not_found');
      }
      await expectFault(files.move(path('/mnt/entries'), path('/srv/z')), 'path_busy');
      await files.copy(path('/srv/x'), path('/srv/y'), { overwrite: true });
      expect(await inside('cat /srv/y')).toBe('x\n');
    });

    test('modes, owners, times and links are set', async () => {
      await inside('mkdir -p /srv/set/sub; touch /srv/set/sub/f; ln -s /etc/passwd /srv/set/out');
      const at = path('/srv/set');
      const { files } = sandbox;
      expect(await files.chmod(at, 0o750, { recursive: true })).toBe(3);
      expect(await files.chown(at, { uid: 3, gid: 4 }, { recursive: true })).toBe(4);
      expect(await inside('stat -c "%a %u:%g" /srv/set/sub/f; stat -c %u /etc/passwd')).toBe(
        '750 3:4\n0\n',
      );
      await files.symlink(path('/srv/set/new/link'), '../x');
      await expectFault(files.symlink(path('/srv/set/new/link'), 'y'), 'already_exists');
      await files.hardLink(path('/srv/set/sub/f'), path('/srv/set/named'));
      await files.hardLink(path('/etc/passwd'), path('/srv/set/users'));
      const same = 'test named -ef sub/f && cmp users /etc/passwd && rm named users';
      expect(await inside(`cd /srv/set; (${same}); echo $?`)).toBe('0\n');
      await expectFault(files.hardLink(path('/srv/set/out'), path('/srv/n')), 'not_a_regular_file');
      await files.touch(path('/srv/set/new/file'), { mtimeNs: 5_000_000_001n });
      expect(await inside('cd /srv/set/new; readlink link; stat -c "%.Y %U" file')).toBe(
        '../x\n5.000000001 user\n',
      );
      await files.makeDirectory(path('/srv/set/mode'), { mode: 0o1770 });
      expect(await inside('stat -c %a /srv/set/mode')).toBe('1770\n');
      expect(await files.diskUsage(at)).toMatchObject({ files: 2, directories: 3, symlinks: 2 });
    });
  });
}
