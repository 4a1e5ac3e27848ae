import { parseGuestPath } from '@sandport/protocol';
import { describe, expect, test } from 'vitest';
import { expectFault, mebibyte, python, run, useHarness, within, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

export function reconfigureSuite(subject: ConformanceSubject): void {
  describe('reconfigure', () => {
    const harness = useHarness(subject);
    const { lacking = {} } = subject;

    test('user, workdir and environment are those of the next command and file', async () => {
      const spec = harness.spec({ env: { OLD: '1' } });
      const sandbox = await harness.create(spec);
      const change = { user: 'root', workdir: '/tmp', env: { NEW: '2' } };
      await harness.driver.reconfigure({ ...spec, ...change });
      const result = await run(sandbox, 'echo $(id -un) $PWD o=$OLD n=$NEW');
      expect(result.stdout).toBe('root /tmp o= n=2\n');
      await writeFile(sandbox.files, '/home/user/of-root', 'x');
      const entry = await sandbox.files.stat(parseGuestPath('/home/user/of-root'));
      expect(entry.uid).toBe(0);
      await expectFault(
        harness.driver.reconfigure({ ...spec, user: 'nobody-here' }),
        'invalid_request',
      );
      expect((await run(sandbox, 'id -un')).stdout).toBe('root\n');
    });

    test('memory can be raised and lowered while it runs', async () => {
      const spec = harness.spec({ limits: { cpu: 2, memoryBytes: 96 * mebibyte, pids: 64 } });
      const sandbox = await harness.create(spec);
      const balloon = `b = b"x" * ${160 * mebibyte}; print(len(b))`;
      const before = await within(30_000, python(sandbox, balloon));
      expect(before).toMatchObject({ exitCode: 137, oomKilled: true });
      const limits = { ...spec.limits, memoryBytes: 320 * mebibyte };
      await harness.driver.reconfigure({ ...spec, limits });
      expect(await within(30_000, python(sandbox, balloon))).toMatchObject({ exitCode: 0 });
      await harness.driver.reconfigure(spec);
      expect(await within(30_000, python(sandbox, balloon))).toMatchObject({ exitCode: 137 });
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
    });

    test('processor time changes while it runs', async (context) => {
      if (lacking.cpuQuota !== undefined) context.skip(lacking.cpuQuota);
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      await harness.driver.reconfigure({ ...spec, limits: { ...spec.limits, cpu: 0.2 } });
      const before = subject.throttledPeriods(sandbox.id);
      const spin = 'import time\ne=time.monotonic()+2\nwhile time.monotonic()<e: pass';
      await within(40_000, python(sandbox, spin));
      expect(subject.throttledPeriods(sandbox.id) - before).toBeGreaterThan(3);
    });

    test('the number of processes changes while it runs', async (context) => {
      if (lacking.livePids !== undefined) context.skip(lacking.livePids);
      const spec = harness.spec({ limits: { cpu: 2, memoryBytes: 256 * mebibyte, pids: 12 } });
      const sandbox = await harness.create(spec);
      const many =
        'import os,time\nfor i in range(30):\n if os.fork()==0: time.sleep(1); os._exit(0)';
      expect((await within(20_000, python(sandbox, many))).exitCode).toBe(1);
      await harness.driver.reconfigure({ ...spec, limits: { ...spec.limits, pids: 64 } });
      await expect
        .poll(async () => (await python(sandbox, many)).exitCode, { timeout: 20_000 })
        .toBe(0);
    });

    test('a disk grows, and does not shrink below what it holds', async (context) => {
      const missing = lacking.diskLimit ?? lacking.diskResize;
      if (missing !== undefined) context.skip(missing);
      const limits = { cpu: 2, memoryBytes: 256 * mebibyte, pids: 64, diskBytes: 32 * mebibyte };
      const spec = harness.spec({ limits });
      const sandbox = await harness.create(spec);
      const fill = 'dd if=/dev/zero of=big bs=1M count=48 2>/dev/null';
      expect((await run(sandbox, fill)).exitCode).toBe(1);
      const larger = { ...spec, limits: { ...limits, diskBytes: 128 * mebibyte } };
      await harness.driver.reconfigure(larger);
      expect((await run(sandbox, fill)).exitCode).toBe(0);
      await expectFault(harness.driver.reconfigure(spec), 'invalid_request');
      expect((await run(sandbox, 'wc -c < big')).stdout).toBe(`${48 * mebibyte}\n`);
    });

    test('what cannot be changed changes nothing', async (context) => {
      if (lacking.diskLimit !== undefined) context.skip(lacking.diskLimit);
      const limits = { cpu: 2, memoryBytes: 256 * mebibyte, pids: 64, diskBytes: 64 * mebibyte };
      const spec = harness.spec({ limits });
      const sandbox = await harness.create(spec);
      await writeFile(sandbox.files, '/home/user/held', Buffer.alloc(32 * mebibyte, 'x'));
      const smaller = { ...limits, diskBytes: 8 * mebibyte };
      const change = { ...spec, limits: smaller, user: 'root', workdir: '/' };
      await expectFault(harness.driver.reconfigure(change), 'invalid_request');
      expect((await run(sandbox, 'id -un; wc -c < held')).stdout).toBe(`user\n${32 * mebibyte}\n`);
    });
  });
}
