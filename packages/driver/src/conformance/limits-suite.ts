import { describe, expect, test } from 'vitest';
import {
  expectFault,
  mebibyte,
  python,
  readFile,
  run,
  useHarness,
  within,
  writeFile,
} from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const balloon = (bytes: number) => `b = b"x" * ${bytes}; print(len(b))`;

export function limitsSuite(subject: ConformanceSubject): void {
  describe('limits', () => {
    const harness = useHarness(subject);
    const { lacking = {} } = subject;

    test('memory: the process that takes too much dies, the sandbox lives', async () => {
      const memoryBytes = 128 * mebibyte;
      const sandbox = await harness.create({ limits: { cpu: 2, memoryBytes, pids: 64 } });
      const modest = await within(20_000, python(sandbox, balloon(32 * mebibyte)));
      expect(modest).toMatchObject({ exitCode: 0, oomKilled: false });
      for (const factor of [2, 8]) {
        const greedy = await within(30_000, python(sandbox, balloon(factor * memoryBytes)));
        expect(greedy).toMatchObject({ exitCode: 137, signal: 'SIGKILL', oomKilled: true });
      }
      // The kernel may end the shell as well when it must be quick.
      const nested = await within(
        30_000,
        run(sandbox, `python3 -c '${balloon(4 * memoryBytes)}'; echo code $?`),
      );
      expect(nested.oomKilled || nested.stdout.includes('code 137')).toBe(true);
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
    });

    test('memory: many processes together cannot take more either', async () => {
      const memoryBytes = 128 * mebibyte;
      const sandbox = await harness.create({ limits: { cpu: 2, memoryBytes, pids: 64 } });
      const program =
        'import os,time\nfor i in range(16):\n' +
        ' if os.fork()==0:\n  b=b"x"*(32<<20); time.sleep(3); os._exit(0)\n' +
        'ok=sum(os.wait()[1]==0 for _ in range(16)); print("finished", ok)';
      const result = await within(40_000, python(sandbox, program));
      const finished = Number(/finished (\d+)/.exec(result.stdout)?.[1] ?? 0);
      expect(finished).toBeLessThan(8);
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
    });

    test('processes: a fork bomb is contained', async () => {
      const pids = 40;
      const limits = { cpu: 1, memoryBytes: 256 * mebibyte, pids };
      const sandbox = await harness.create({ limits });
      const count =
        'import os,time\nn=0\ntry:\n while n<500:\n' +
        '  if os.fork()==0: time.sleep(2); os._exit(0)\n  n+=1\nexcept OSError as e: print(n, e.errno)';
      const result = await within(30_000, python(sandbox, count));
      const [made, errno] = result.stdout.split(' ').map(Number);
      expect(errno).toBe(11);
      expect(made).toBeGreaterThan(pids / 2);
      expect(made).toBeLessThanOrEqual(pids);
      const bomb = await sandbox.commands.start({
        args: ['bash', '-c', 'f() { f | f & }; f; sleep 100'],
        timeoutMs: 1000,
      });
      bomb.stdout.resume();
      bomb.stderr.resume();
      await within(30_000, bomb.exit);
      await writeFile(sandbox.files, '/tmp/still', 'here');
      expect(await readFile(sandbox.files, '/tmp/still')).toBe('here');
      await within(20_000, harness.driver.remove(sandbox.id));
    });

    test('CPU: a busy loop gets its share', async (context) => {
      if (lacking.cpuQuota !== undefined) context.skip(lacking.cpuQuota);
      const sandbox = await harness.create({
        limits: { cpu: 0.25, memoryBytes: 256 * mebibyte, pids: 64 },
      });
      const before = subject.throttledPeriods(sandbox.id);
      const spin = 'import time\ne=time.monotonic()+3\nwhile time.monotonic()<e: pass';
      await within(40_000, python(sandbox, spin));
      expect(subject.throttledPeriods(sandbox.id) - before).toBeGreaterThan(3);
    });

    test('disk: what does not fit is refused and the old file stays', async (context) => {
      if (lacking.diskLimit !== undefined) context.skip(lacking.diskLimit);
      const sandbox = await harness.create({
        limits: { cpu: 2, memoryBytes: 256 * mebibyte, pids: 64, diskBytes: 32 * mebibyte },
      });
      await writeFile(sandbox.files, '/home/user/precious', 'old');
      const tooMuch = Buffer.alloc(48 * mebibyte, 'x');
      await expectFault(writeFile(sandbox.files, '/home/user/precious', tooMuch), 'disk_full');
      expect(await readFile(sandbox.files, '/home/user/precious')).toBe('old');
      const inside = await run(sandbox, 'dd if=/dev/zero of=big bs=1M count=64 2>&1');
      expect(inside.exitCode).toBe(1);
      expect(inside.stdout).toMatch(/No space left|quota exceeded/);
      // From inside: gVisor keeps a file open that it has seen, and its room taken.
      await run(sandbox, 'rm big');
      const again = () =>
        writeFile(sandbox.files, '/home/user/precious', 'new').then(() => 'ok', String);
      await expect.poll(again, { timeout: 10_000 }).toBe('ok');
      expect((await run(sandbox, 'cat precious; ls -A | wc -l')).stdout).toMatch(/^new\d+\n$/);
    });
  });
}
