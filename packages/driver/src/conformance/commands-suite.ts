import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { buffer, text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandSpec } from '../commands.ts';
import type { DriverSandbox } from '../driver.ts';
import { expectFault, python, run, useHarness, within } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

export function commandsSuite(subject: ConformanceSubject): void {
  describe('commands', () => {
    const harness = useHarness(subject);
    let sandbox: DriverSandbox;
    beforeAll(async () => {
      sandbox = await harness.create({ env: { A: 'sandbox', B: 'sandbox' } });
    });

    test('give both streams and the exit code', async () => {
      const result = await run(sandbox, 'echo out; echo err >&2; exit 7');
      expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 7 });
      expect(result.signal).toBeUndefined();
      expect(result.timedOut).toBe(false);
    });

    test('tell the signal that ended them', async () => {
      const result = await run(sandbox, 'kill -TERM $$; sleep 5');
      expect(result).toMatchObject({ exitCode: 143, signal: 'SIGTERM', oomKilled: false });
    });

    test('take arguments as they are, without a shell', async () => {
      const tricky = ['a b', '$HOME', '*', '', "it's", 'new\nline', 'ünï'];
      const result = await run(sandbox, ['printf', '[%s]', ...tricky]);
      expect(result.stdout).toBe(tricky.map((each) => `[${each}]`).join(''));
    });

    test('merge the environment of the sandbox with their own', async () => {
      const result = await run(sandbox, 'echo $A $B $C', { env: { B: 'own', C: 'own' } });
      expect(result.stdout).toBe('sandbox own own\n');
    });

    test('run as another user in another directory', async () => {
      const result = await run(sandbox, 'id -un; pwd; echo $HOME', { user: 'root', cwd: '/etc' });
      expect(result.stdout).toBe('root\n/etc\n/root\n');
    });

    test.each<[string, CommandSpec, string]>([
      ['program', { args: ['no-such-program'] }, 'ENOENT'],
      ['directory', { args: ['true'], cwd: '/no/such/directory' }, 'ENOENT'],
      ['permission', { args: ['/etc/passwd'] }, 'EACCES'],
    ])('say what is wrong with the %s', async (_, spec, errno) => {
      const fault = await expectFault(sandbox.commands.start(spec), 'command_not_started');
      expect(fault.details['errno']).toBe(errno);
      expect(fault.message).toContain(spec.cwd ?? spec.args[0] ?? '');
    });

    test('say that a user does not exist', async () => {
      const start = sandbox.commands.start({ args: ['true'], user: 'stranger' });
      expect((await expectFault(start, 'command_not_started')).message).toContain('stranger');
    });

    test('read their input to its end', async () => {
      const command = await sandbox.commands.start({ args: ['wc', '-c'], stdin: true });
      command.stdin?.end(Buffer.alloc(1_000_000, 'x'));
      command.stderr.resume();
      expect((await text(command.stdout)).trim()).toBe('1000000');
      expect((await command.exit).exitCode).toBe(0);
      expect((await run(sandbox, 'cat; echo end')).stdout).toBe('end\n');
    });

    test('deliver many bytes of any value unchanged', async () => {
      const program =
        'import sys,hashlib;d=bytes(range(256))*20000;sys.stdout.buffer.write(d);' +
        'sys.stderr.write(hashlib.sha256(d).hexdigest())';
      const command = await sandbox.commands.start({ args: ['python3', '-c', program] });
      const [stdout, stderr] = await Promise.all([buffer(command.stdout), text(command.stderr)]);
      expect(stdout).toHaveLength(5_120_000);
      expect(createHash('sha256').update(stdout).digest('hex')).toBe(stderr);
    });

    test('end with their whole group at the timeout', async () => {
      const startedMs = Date.now();
      const result = await run(sandbox, 'trap "" TERM; sleep 987 & sleep 987; echo no', {
        timeoutMs: 300,
      });
      expect(result).toMatchObject({ timedOut: true, stdout: '' });
      expect(Date.now() - startedMs).toBeLessThan(8000);
      const left = await run(sandbox, 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "');
      expect(left.stdout).not.toContain('sleep 987');
    });

    test('can be killed', async () => {
      const command = await sandbox.commands.start({ args: ['sleep', '600'] });
      command.stdout.resume();
      command.stderr.resume();
      command.kill('SIGKILL');
      const exit = await within(5000, command.exit);
      expect(exit).toMatchObject({ exitCode: 137, signal: 'SIGKILL', oomKilled: false });
      command.kill();
    });

    test('do not wait for what they leave in the background', async () => {
      const result = await within(5000, run(sandbox, 'sleep 30 & echo done'));
      expect(result.stdout).toBe('done\n');
    });

    test('run side by side, also beside one whose output nobody reads', async () => {
      const stuck = await sandbox.commands.start({ args: ['cat', '/dev/zero'] });
      const lines = await within(
        20_000,
        Promise.all(Array.from({ length: 24 }, (_, i) => run(sandbox, ['echo', `${i}`]))),
      );
      expect(lines.map((line) => line.stdout)).toEqual(lines.map((_, i) => `${i}\n`));
      stuck.kill('SIGKILL');
      stuck.stdout.destroy();
      stuck.stderr.destroy();
      await within(5000, stuck.exit);
    });

    test('find the usual programs working', async () => {
      const result = await run(
        sandbox,
        'set -e; ls -la / >/dev/null; stat -c %n /etc; mkdir -p d/e; touch d/e/f; cp -r d g; ' +
          'mv g h; find h -type f; rm -r d h; ln -s /etc l; readlink l; rm l; ' +
          'echo b a | tr " " "\\n" | sort | tr "\\n" " "; ps >/dev/null; df / >/dev/null',
      );
      expect(result.stderr).toBe('');
      expect(result.stdout).toBe('/etc\nh/e/f\n/etc\na b ');
      const imports = 'import ssl,sqlite3,json,subprocess,socket;print("ok")';
      expect((await python(sandbox, imports, 'user')).stdout).toBe('ok\n');
    });

    test('leave no zombies behind', async () => {
      await run(sandbox, 'for i in 1 2 3 4 5; do (sleep 0.05 &) ; done');
      await sleep(400);
      const states = await run(sandbox, 'cat /proc/[0-9]*/stat 2>/dev/null');
      expect(states.stdout).not.toMatch(/^\d+ \(.*\) Z /m);
    });
  });
}
