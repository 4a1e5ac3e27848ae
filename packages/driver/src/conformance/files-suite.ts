import { buffer } from 'node:stream/consumers';
import { parseGuestPath } from '@sandport/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import {
  expectFault,
  listed,
  python,
  readFile,
  run,
  useHarness,
  within,
  writeFile,
} from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const path = parseGuestPath;

export function filesSuite(subject: ConformanceSubject): void {
  describe('files', () => {
    const harness = useHarness(subject);
    const { lacking = {} } = subject;
    let sandbox: DriverSandbox;
    beforeAll(async () => {
      sandbox = await harness.create();
    });

    test.each(['/home/user', '/workspace', '/tmp', '/var/tmp', '/root', '/opt', '/etc', '/srv'])(
      'are the same inside and outside in %s',
      async (directory) => {
        const inside = `${directory}/inside file`;
        const outside = `${directory}/outside file`;
        await run(sandbox, ['sh', '-c', 'printf inside > "$0"', inside], { user: 'root' });
        expect(await readFile(sandbox.files, inside)).toBe('inside');
        await writeFile(sandbox.files, outside, 'outside');
        expect((await run(sandbox, ['cat', outside], { user: 'root' })).stdout).toBe('outside');
        await writeFile(sandbox.files, outside, 'changed');
        expect((await run(sandbox, ['cat', outside], { user: 'root' })).stdout).toBe('changed');
        await run(sandbox, ['sh', '-c', 'printf again > "$0"', inside], { user: 'root' });
        expect(await readFile(sandbox.files, inside)).toBe('again');
        await sandbox.files.remove(path(outside));
        expect((await run(sandbox, ['cat', outside], { user: 'root' })).exitCode).toBe(1);
      },
    );

    test('belong to the default user, or to whom they are said to', async () => {
      await writeFile(sandbox.files, '/home/user/deep/er/file', 'x');
      await writeFile(sandbox.files, '/srv/rooted', 'x', {
        owner: { uid: 0, gid: 42 },
        mode: 0o640,
      });
      const result = await run(
        sandbox,
        'stat -c "%U:%G %a" deep deep/er deep/er/file; stat -c "%u:%g %a" /srv/rooted',
      );
      expect(result.stdout).toBe('user:user 755\nuser:user 755\nuser:user 644\n0:42 640\n');
      expect(await sandbox.files.stat(path('/srv/rooted'))).toMatchObject({
        uid: 0,
        gid: 42,
        permissions: '0640',
      });
    });

    test('keep mode and owner when they are written again', async () => {
      await run(sandbox, 'echo old > /srv/kept; chown 7:8 /srv/kept; chmod 751 /srv/kept', {
        user: 'root',
      });
      await writeFile(sandbox.files, '/srv/kept', 'new');
      const { stdout } = await run(sandbox, 'stat -c "%u:%g %a" /srv/kept; cat /srv/kept', {
        user: 'root',
      });
      expect(stdout).toBe('7:8 751\nnew');
    });

    test('are listed with what they are', async () => {
      await run(sandbox, 'mkdir kinds; cd kinds; echo 12345 > b; mkdir a; ln -s /etc/passwd c');
      const entries = await listed(sandbox.files, path('/home/user/kinds'));
      expect(entries.map(({ name, type, mode }) => [name, type, mode])).toEqual([
        ['a', 'directory', 'd'],
        ['b', 'file', 'f'],
        ['c', 'symlink', 'l'],
      ]);
      expect(entries[1]).toMatchObject({ size: 6, path: '/home/user/kinds/b', uid: 1000 });
      expect(entries[2]).toMatchObject({ symlink_target: '/etc/passwd' });
    });

    test('may have any name; one that is not UTF-8 is listed with its bytes', async () => {
      const odd = 'new\nline "quoted" ünï \u{1F980}';
      await writeFile(sandbox.files, `/home/user/names/${odd}`, 'odd');
      expect((await run(sandbox, 'cat names/new*')).stdout).toBe('odd');
      await python(sandbox, 'open(b"/home/user/names/z\\xff", "w").write("x")');
      const entries = await listed(sandbox.files, path('/home/user/names'));
      expect(entries.map((entry) => entry.name)).toEqual([odd, 'z\u{FFFD}']);
      expect(entries[1]?.name_base64).toBe(Buffer.from([0x7a, 0xff]).toString('base64'));
    });

    test('can be read in part and keep their contents while open', async () => {
      await writeFile(sandbox.files, '/tmp/parts', '0123456789');
      const file = await sandbox.files.open(path('/tmp/parts'));
      expect(file.entry.size).toBe(10);
      await writeFile(sandbox.files, '/tmp/parts', 'replaced');
      expect((await buffer(file.stream({ start: 3, end: 6 }))).toString()).toBe('345');
      const after = await sandbox.files.open(path('/tmp/parts'));
      expect(after.etag).not.toBe(file.etag);
      await after.close();
      await file.close();
    });

    test('follow links inside the sandbox, never out of it', async () => {
      await run(sandbox, 'ln -s /etc/hostname abs; ln -s ../../../../../../etc/hostname rel');
      const own = await readFile(sandbox.files, '/etc/hostname');
      expect(await readFile(sandbox.files, '/home/user/abs')).toBe(own);
      expect(await readFile(sandbox.files, '/home/user/rel')).toBe(own);
      expect(await readFile(sandbox.files, '/../../../../etc/hostname')).toBe(own);
      await run(sandbox, 'ln -s loop loop; ln -s /srv/through link');
      await expectFault(sandbox.files.open(path('/home/user/loop')), 'symlink_loop');
      await writeFile(sandbox.files, '/home/user/link', 'through');
      expect((await run(sandbox, 'readlink link; cat /srv/through')).stdout).toBe(
        '/srv/through\nthrough',
      );
      await sandbox.files.remove(path('/home/user/link'));
      expect(await readFile(sandbox.files, '/srv/through')).toBe('through');
      const dangling = await sandbox.files.stat(path('/home/user/abs'), { followSymlinks: false });
      expect(dangling).toMatchObject({ type: 'symlink', symlink_target: '/etc/hostname' });
    });

    const refused = async (file: string) => {
      await within(2000, expectFault(sandbox.files.open(path(file)), 'not_a_regular_file'));
      await within(2000, expectFault(sandbox.files.write(path(file)), 'not_a_regular_file'));
    };

    test.each(['/proc/self/environ', '/proc/1/root/etc/passwd', '/sys/kernel', '/dev/zero'])(
      'of the kernel are refused at once: %s',
      refused,
    );

    test('that are FIFOs or sockets are listed, and refused at once', async (context) => {
      if (lacking.specialFiles !== undefined) context.skip(lacking.specialFiles);
      await run(sandbox, 'mkdir special; mkfifo special/fifo');
      await python(
        sandbox,
        'import socket;socket.socket(socket.AF_UNIX).bind("/home/user/special/socket")',
      );
      const entries = await listed(sandbox.files, path('/home/user/special'));
      expect(entries.map(({ name, type, mode }) => [name, type, mode])).toEqual([
        ['fifo', 'other', 'p'],
        ['socket', 'other', 's'],
      ]);
      await refused('/home/user/special/fifo');
      await refused('/home/user/special/socket');
    });

    test.each([
      ['file_not_found', (files) => files.open(path('/no/such/file'))],
      ['is_directory', (files) => files.open(path('/etc'))],
      ['is_directory', (files) => files.write(path('/etc'))],
      ['not_a_directory', (files) => listed(files, path('/etc/passwd'))],
      ['not_a_directory', (files) => files.open(path('/etc/passwd/x'))],
      ['not_a_directory', (files) => files.write(path('/etc/passwd/x'))],
      ['directory_not_empty', (files) => files.remove(path('/etc'))],
      ['file_not_found', (files) => files.remove(path('/no/such'))],
      ['path_busy', (files) => files.remove(path('/'), { recursive: true })],
    ] satisfies [string, (files: DriverSandbox['files']) => Promise<unknown>][])(
      'fail with %s where they must (%#)',
      async (code, action) => {
        const fault = await expectFault(action(sandbox.files), code);
        expect(fault.details['path']).toEqual(expect.any(String));
        expect(fault.message).toContain(String(fault.details['path']));
      },
    );

    test('are removed with all that is below', async () => {
      await run(sandbox, 'mkdir -p gone/a/b/c; ln -s /etc gone/a/etc; touch gone/a/b/f');
      await sandbox.files.remove(path('/home/user/gone'), { recursive: true });
      const { stdout } = await run(sandbox, 'ls gone 2>&1; ls /etc/passwd');
      expect(stdout).toContain('/etc/passwd');
      await sandbox.files.makeDirectory(path('/home/user/gone/again'));
      await sandbox.files.makeDirectory(path('/home/user/gone/again'));
      expect((await run(sandbox, 'stat -c %U gone/again')).stdout).toBe('user\n');
    });

    test('that are given up half-way leave the old file and nothing else', async () => {
      await run(sandbox, 'mkdir half; echo old > half/file');
      const writer = await sandbox.files.write(path('/home/user/half/file'));
      writer.stream.write('half of it');
      await writer.abort();
      await writer.abort();
      expect((await run(sandbox, 'ls -A half; cat half/file')).stdout).toBe('file\nold\n');
    });

    test('seen by a program that watches them are whole', async () => {
      await writeFile(sandbox.files, '/tmp/whole', 'a'.repeat(100_000));
      const watcher = python(
        sandbox,
        'seen=set()\nfor _ in range(400):\n' +
          ' d=open("/tmp/whole").read(); seen.add((len(d),len(set(d))))\nprint(sorted(seen))',
      );
      for (const letter of 'bcdefghij')
        await writeFile(sandbox.files, '/tmp/whole', letter.repeat(100_000));
      expect((await watcher).stdout).toBe('[(100000, 1)]\n');
    });
  });
}
