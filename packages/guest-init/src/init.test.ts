import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { InitCommandSpec } from './start-payload.ts';
import { RealInit } from './testing/real-init.ts';

let init: RealInit;
beforeAll(async () => {
  init = await RealInit.connected();
}, 60_000);
afterAll(() => init[Symbol.asyncDispose]());

const ended = { exitCode: 0, stdout: '', stderr: '', timedOut: false, oomKilled: false };
const openFiles = async () => (await readdir(`/proc/${init.process.pid}/fd`)).length;
/** Whether any process of this machine has the text among its arguments. */
async function anyProcessWith(text: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).some((line) => line.split('\0').includes(text));
}
const isRoot = process.getuid?.() === 0;

describe('a command', () => {
  test('gives its output and exit code', async () => {
    const result = await init.shell('echo out; echo err >&2; exit 3');
    expect(result).toEqual({ ...ended, exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  test('gives the signal that ended it', async () => {
    expect(await init.shell('kill -SEGV $$')).toEqual({
      ...ended,
      exitCode: 139,
      signal: 'SIGSEGV',
    });
  });

  test('gets its arguments, directory and environment as they are', async () => {
    const result = await init.run({
      args: ['sh', '-c', 'printf "%s|" "$@"; pwd; echo "$X"; umask', 'sh', '', 'a b', '\n*', 'ü'],
      cwd: '/usr',
      env: { X: '1 $Y "' },
    });
    expect(Buffer.from(result.stdout, 'latin1').toString()).toBe('|a b|\n*|ü|/usr\n1 $Y "\n0022\n');
  });

  test('keeps the variables it was given and gets the usual ones besides', async () => {
    const { stdout } = await init.run({
      args: ['env'],
      env: { HOME: '/x', PATH: '/usr/bin:/bin' },
    });
    expect(stdout.trim().split('\n').toSorted()).toEqual([
      'HOME=/x',
      'LOGNAME=root',
      'PATH=/usr/bin:/bin',
      expect.stringMatching(/^SHELL=/),
      'USER=root',
    ]);
  });

  test('starts with default signals, nothing blocked, no descriptors and few capabilities', async () => {
    const { stdout } = await init.shell('cat /proc/self/status; ls /proc/self/fd | wc -l');
    expect(stdout).toMatch(/^SigBlk:\s0{16}$/m);
    expect(stdout).toMatch(/^SigIgn:\s0{16}$/m);
    expect(stdout).toMatch(/^NoNewPrivs:\s1$/m);
    const bounding = BigInt(`0x${/^CapBnd:\s(\w+)$/m.exec(stdout)?.[1]}`);
    expect(bounding & ~0x405fbn).toBe(0n);
    expect(stdout.trimEnd().endsWith('\n4')).toBe(true);
  });

  test('runs a script that names no interpreter with the shell', async () => {
    const script = path.join(init.directory, 'script');
    await writeFile(script, 'echo "$0 $1"\n', { mode: 0o755 });
    const env = { PATH: init.directory };
    expect((await init.run({ args: ['script', 'x'], env })).stdout).toBe(`${script} x\n`);
  });

  test.skipIf(!isRoot)('runs as the user asked for (needs root)', async () => {
    const nobody = await init.run({ args: ['id'], user: 'nobody' });
    expect(nobody.stdout).toMatch(/^uid=65534\(nobody\) gid=65534\(nogroup\) groups=65534/);
    expect((await init.run({ args: ['id', '-un'], user: '65534' })).stdout).toBe('nobody\n');
    const unknown = await init.shell('id -u; id -g; id -G; echo $HOME', { user: '12345' });
    expect(unknown.stdout).toBe('12345\n12345\n12345\n/\n');
    const { stdout } = await init.run({ args: ['cat', '/proc/self/status'], user: 'nobody' });
    expect(stdout).toMatch(/^CapEff:\s0{16}$/m);
  });

  test('reads end of file at once without stdin', async () => {
    expect(await init.run({ args: ['cat'] })).toEqual(ended);
  });

  test('gets every byte of its stdin', async () => {
    const bytes = randomBytes(3_000_000);
    const result = await init.run({ args: ['cat'] }, bytes);
    expect(Buffer.from(result.stdout, 'latin1').equals(bytes)).toBe(true);
  });

  test('may leave its stdin unread', async () => {
    expect(await init.run({ args: ['true'] }, Buffer.alloc(1_000_000))).toEqual(ended);
    const closing = await init.run(
      { args: ['sh', '-c', 'exec <&-; sleep 0.2; echo ok'] },
      Buffer.alloc(1_000_000),
    );
    expect(closing.stdout).toBe('ok\n');
  });

  test('writes much without loss', async () => {
    const { stdout } = await init.shell('head -c 20000000 /dev/zero');
    expect(stdout.length).toBe(20_000_000);
  });
});

describe('what cannot be started', () => {
  test.each<[Partial<InitCommandSpec>, string, string]>([
    [{ args: ['no-such-program'] }, 'exec', 'ENOENT'],
    [{ args: [''] }, 'exec', 'ENOENT'],
    [{ args: ['/etc/passwd'] }, 'exec', 'EACCES'],
    [{ args: ['/'] }, 'exec', 'EACCES'],
    [{ args: ['true', 'x'.repeat(200_000)] }, 'exec', 'E2BIG'],
    [{ cwd: '/no/such/dir' }, 'cwd', 'ENOENT'],
    [{ cwd: '/etc/passwd' }, 'cwd', 'ENOTDIR'],
    [{ user: 'no-such-user' }, 'user', 'ENOENT'],
    [{ user: '4294967295' }, 'user', 'ENOENT'],
    [{ user: '' }, 'user', 'ENOENT'],
  ])('%j: %s %s', async (spec, step, code) => {
    const before = await openFiles();
    await expect(init.run(spec)).rejects.toMatchObject({ kind: 'not_started', step, code });
    expect(await openFiles()).toBe(before);
  });
});

describe('an end', () => {
  test('does not wait for background processes, but has all that was written', async () => {
    const result = await init.shell('sleep 60 & echo $! >&2; head -c 60000 /dev/zero');
    expect(result.stdout.length).toBe(60_000);
    // It runs still.
    expect(await init.shell(`kill ${result.stderr}`)).toEqual(ended);
  });

  test('comes although a background process never stops writing', async () => {
    const result = await init.shell('timeout 1 yes & sleep 0.2; echo done >&2');
    expect(result.stderr).toBe('done\n');
  });

  test('a timeout ends the whole group', async () => {
    const mark = `30.${process.pid}`;
    const startedMs = performance.now();
    const timeoutMs = 2000;
    const running = init.shell(`sleep ${mark} & sleep ${mark}`, { timeoutMs });
    await vi.waitFor(async () => expect(await anyProcessWith(mark)).toBe(true), timeoutMs);
    const result = await running;
    expect(result).toEqual({ ...ended, exitCode: 143, signal: 'SIGTERM', timedOut: true });
    expect(performance.now() - startedMs).toBeLessThan(timeoutMs + 1300);
    await vi.waitFor(async () => expect(await anyProcessWith(mark)).toBe(false), 5000);
  });

  test('a timeout kills what ignores SIGTERM two seconds later', async () => {
    const mark = `31.${process.pid}`;
    const script = `trap "" TERM; sleep ${mark} & sleep ${mark}; sleep ${mark}`;
    const startedMs = performance.now();
    // Long enough for the shell to have begun to ignore the signal.
    const timeoutMs = 1500;
    const result = await init.shell(script, { timeoutMs });
    expect(result).toMatchObject({ signal: 'SIGKILL', timedOut: true });
    expect(performance.now() - startedMs).toBeGreaterThan(timeoutMs + 1900);
    await vi.waitFor(async () => expect(await anyProcessWith(mark)).toBe(false), 5000);
  });

  test('kill reaches the group, and is no error afterwards', async () => {
    const command = await init.channel.start({
      args: ['sh', '-c', 'sleep 60 & wait'],
      cwd: '/',
      env: {},
      user: 'root',
    });
    command.stdout.resume();
    command.stderr.resume();
    command.kill('SIGHUP');
    expect(await command.exit).toMatchObject({ signal: 'SIGHUP', timedOut: false });
    command.kill('SIGKILL');
  });
});

describe('many commands', () => {
  test('a reader that does not read holds up nobody else', async () => {
    const stuck = await init.channel.start({ args: ['yes'], cwd: '/', env: {}, user: 'root' });
    await sleep(100);
    const before = stuck.stdout.readableLength;
    expect((await init.shell('head -c 3000000 /dev/zero')).stdout.length).toBe(3_000_000);
    expect(stuck.stdout.readableLength).toBe(before);
    stuck.stdout.destroy();
    stuck.stderr.destroy();
    stuck.kill('SIGKILL');
    expect(await stuck.exit).toMatchObject({ signal: 'SIGKILL' });
  });

  test('300 at once', async () => {
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    const results = await Promise.all(numbers.map((i) => init.shell(`sleep 0.5; echo ${i}`)));
    expect(results.map((result) => result.stdout)).toEqual(numbers.map((i) => `${i}\n`));
  }, 30_000);

  test('2000 leave nothing behind', async () => {
    const filesBefore = await openFiles();
    const work = Array.from({ length: 10 }, async () => {
      for (let i = 0; i < 200; i++) await init.run({});
    });
    await Promise.all(work);
    expect(await openFiles()).toBe(filesBefore);
    const status = await readFile(`/proc/${init.process.pid}/status`, 'utf8');
    expect(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])).toBeLessThan(2048);
    const children = await readFile(
      `/proc/${init.process.pid}/task/${init.process.pid}/children`,
      'utf8',
    );
    expect(children).toBe('');
  }, 30_000);

  test('an idle init does not run', async () => {
    const ticks = async () =>
      (await readFile(`/proc/${init.process.pid}/schedstat`, 'utf8')).split(' ')[2];
    const before = await ticks();
    await sleep(500);
    expect(await ticks()).toBe(before);
  });
});
