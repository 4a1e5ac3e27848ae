import { describe, expect, test } from 'vitest';
import { expectFault, mebibyte, readFile, run, useHarness, within, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

export function hostileSuite(subject: ConformanceSubject): void {
  describe('a sandbox that breaks', () => {
    const harness = useHarness(subject);

    test('init killed: the death is told, commands say so, files still work', async () => {
      const sandbox = await harness.create();
      await writeFile(sandbox.files, '/tmp/before', 'before');
      const running = await sandbox.commands.start({ args: ['sleep', '100'] });
      running.stdout.resume();
      running.stderr.resume();
      process.kill(subject.initPid(sandbox.id), 'SIGKILL');
      const death = await within(5000, sandbox.died);
      expect(death.reason).not.toBe('');
      await within(5000, expectFault(running.exit, 'invalid_state'));
      const fault = await expectFault(sandbox.commands.start({ args: ['true'] }), 'invalid_state');
      expect(fault.message).toContain(death.reason);
      expect(await readFile(sandbox.files, '/tmp/before')).toBe('before');
      await writeFile(sandbox.files, '/tmp/after', 'after');
      expect(await readFile(sandbox.files, '/tmp/after')).toBe('after');
      await harness.driver.remove(sandbox.id);
    });

    test('init stopped: commands fail in bounded time, files still work', async () => {
      const sandbox = await harness.create();
      const pid = subject.initPid(sandbox.id);
      process.kill(pid, 'SIGSTOP');
      const start = sandbox.commands.start({ args: ['true'] });
      await within(15_000, expectFault(start, 'sandbox_unresponsive'));
      await writeFile(sandbox.files, '/tmp/file', 'works');
      expect(await readFile(sandbox.files, '/tmp/file')).toBe('works');
      process.kill(pid, 'SIGCONT');
      expect((await within(15_000, run(sandbox, 'cat /tmp/file'))).stdout).toBe('works');
      process.kill(pid, 'SIGSTOP');
      await within(10_000, harness.driver.remove(sandbox.id));
    });

    test('a guest that fills its disk of names is removed', async () => {
      const sandbox = await harness.create();
      const program =
        'import os\nos.makedirs("/tmp/many")\nfor i in range(3000): open(f"/tmp/many/{i}","w")\n' +
        'os.chdir("/tmp")\nfor i in range(300):\n os.mkdir("d"*200); os.chdir("d"*200)\n';
      expect((await run(sandbox, ['python3', '-c', program])).exitCode).toBe(0);
      await within(30_000, harness.driver.remove(sandbox.id));
    });

    test('a flood of output does not grow without bound', async () => {
      const sandbox = await harness.create();
      const before = process.memoryUsage().rss;
      const flood = await sandbox.commands.start({ args: ['cat', '/dev/zero'] });
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * mebibyte);
      flood.kill('SIGKILL');
      flood.stdout.destroy();
      flood.stderr.destroy();
      await within(5000, flood.exit);
    });
  });
}
