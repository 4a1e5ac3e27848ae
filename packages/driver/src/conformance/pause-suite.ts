import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import {
  expectFault,
  Harness,
  readFile,
  run,
  startCounter,
  useHarness,
  within,
  writeFile,
} from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

/** Length of what processes have written so far, once it has stopped growing or still grows. */
async function grows({ files }: DriverSandbox, path = '/tmp/count'): Promise<boolean> {
  await sleep(50);
  const before = (await readFile(files, path)).length;
  await sleep(250);
  return (await readFile(files, path)).length > before;
}

export function pauseSuite(subject: ConformanceSubject): void {
  describe('pause', () => {
    const harness = useHarness(subject);
    const { lacking = {} } = subject;

    test('stops everything in place, and resume lets it go on', async (context) => {
      if (lacking.pause !== undefined) context.skip(lacking.pause);
      const sandbox = await harness.create();
      const counter = await startCounter(sandbox);
      expect(await grows(sandbox)).toBe(true);
      for (let round = 0; round < 3; round++) {
        await harness.driver.pause(sandbox.id);
        await harness.driver.pause(sandbox.id);
        expect(sandbox.paused).toBe(true);
        expect(await grows(sandbox)).toBe(false);
        await harness.driver.resume(sandbox.id);
        await harness.driver.resume(sandbox.id);
        expect(sandbox.paused).toBe(false);
        expect(await grows(sandbox)).toBe(true);
      }
      counter.kill('SIGKILL');
      expect(await counter.exit).toMatchObject({ exitCode: 137, oomKilled: false });
    });

    test('serves files, and starts no commands', async (context) => {
      if (lacking.pause !== undefined) context.skip(lacking.pause);
      const sandbox = await harness.create();
      const reader = await sandbox.commands.start({ args: ['cat'], stdin: true });
      await harness.driver.pause(sandbox.id);
      await writeFile(sandbox.files, '/home/user/note', 'written');
      expect(await readFile(sandbox.files, '/home/user/note')).toBe('written');
      const fault = await expectFault(sandbox.commands.start({ args: ['true'] }), 'invalid_state');
      expect(fault.details).toMatchObject({ sandbox: sandbox.id, status: 'paused' });
      reader.stdin?.end('sent meanwhile');
      await harness.driver.resume(sandbox.id);
      expect((await reader.stdout.toArray()).join('')).toBe('sent meanwhile');
      expect((await reader.exit).exitCode).toBe(0);
      expect((await run(sandbox, 'cat note')).stdout).toBe('written');
    });

    test('nothing inside keeps itself out of it', async (context) => {
      if (lacking.pause !== undefined) context.skip(lacking.pause);
      const sandbox = await harness.create();
      const daemons =
        'for n in 1 2 3 4 5 6 7 8; do setsid sh -c "trap : CONT STOP TSTP; while :; do ' +
        'echo x >> /tmp/count; sh -c : ; sleep 0.01; done" >/dev/null 2>&1 & done; ' +
        'mkdir /tmp/cg; mount -t cgroup -o freezer none /tmp/cg && ' +
        'for f in $(find /tmp/cg -name cgroup.procs); do echo 0 > $f; done; echo tried';
      const attempt = await run(sandbox, daemons, { user: 'root' });
      expect(attempt.stdout).toBe('tried\n');
      await harness.driver.pause(sandbox.id);
      expect(await grows(sandbox)).toBe(false);
      await harness.driver.resume(sandbox.id);
      expect(await grows(sandbox)).toBe(true);
      await harness.driver.pause(sandbox.id);
      await within(10_000, harness.driver.remove(sandbox.id));
    });

    test('a paused one that is killed is dead when it goes on', async (context) => {
      if (lacking.pause !== undefined) context.skip(lacking.pause);
      const sandbox = await harness.create();
      await harness.driver.pause(sandbox.id);
      process.kill(subject.initPid(sandbox.id), 'SIGKILL');
      await harness.driver.resume(sandbox.id).catch(() => {});
      expect((await within(10_000, sandbox.died)).reason).not.toBe('');
      await expectFault(harness.driver.pause(sandbox.id), 'invalid_state');
      await expectFault(harness.driver.resume(sandbox.id), 'invalid_state');
    });
  });

  describe('a paused sandbox and the next driver', () => {
    const harness = new Harness(subject);
    afterEach(async () => {
      await harness.removeAll();
      await harness.close();
    });

    test('it is still paused, and goes on when it is resumed', async (context) => {
      const { lacking = {} } = subject;
      if (lacking.pause !== undefined) context.skip(lacking.pause);
      await harness.open();
      const spec = harness.spec();
      const first = await harness.create(spec);
      await startCounter(first);
      await harness.driver.pause(first.id);
      await harness.close();
      const [sandbox] = (await harness.open([spec])).running;
      if (!sandbox) throw new Error('it was not adopted');
      expect(sandbox.paused).toBe(true);
      expect(await grows(sandbox)).toBe(false);
      await expectFault(sandbox.commands.start({ args: ['true'] }), 'invalid_state');
      await harness.driver.resume(spec.id);
      expect(await grows(sandbox)).toBe(true);
      await expect
        .poll(() => run(sandbox, 'echo up').catch(() => undefined), { timeout: 10_000 })
        .toMatchObject({ stdout: 'up\n' });
    });
  });
}
