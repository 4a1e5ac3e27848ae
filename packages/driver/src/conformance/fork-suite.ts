import { SandportFault, volumeNameSchema } from '@sandport/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { DriverSandbox, ForkReport, SandboxSpec } from '../driver.ts';
import {
  expectFault,
  mebibyte,
  readFile,
  run,
  startCounter,
  useHarness,
  writeFile,
} from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const shared = volumeNameSchema.parse('forked');

export function forkSuite(subject: ConformanceSubject): void {
  describe('fork', () => {
    const harness = useHarness(subject);
    const children: SandboxSpec[] = [];
    afterEach(async () => {
      await Promise.all(children.splice(0).map(({ id }) => harness.driver.remove(id)));
      await harness.removeAll();
    });
    const childrenOf = (count: number, change: Partial<SandboxSpec> = {}): SandboxSpec[] => {
      const specs = Array.from({ length: count }, () => harness.spec(change));
      children.push(...specs);
      return specs;
    };
    const keepsMemory = () => harness.driver.memoryIsolations.includes(subject.isolation);
    const all = (report: ForkReport): DriverSandbox[] =>
      report.children.map((child) => {
        if (child instanceof SandportFault) throw child;
        return child;
      });
    const tell = async (sandbox: DriverSandbox, command: string) =>
      (await run(sandbox, command)).stdout.trim();

    test('children have the disk of their parent, and go their own way', async () => {
      const volumes = [{ name: shared }];
      const parent = await harness.create({ volumes });
      const prepare =
        'echo one > file; mkdir -m 700 closed; ln file link; ln -s file symbolic; ' +
        'rm -r /home/user/.bashrc; echo v > /mnt/forked/v; chmod 4755 file';
      await run(parent, prepare);
      await run(parent, 'rm /etc/hostname /etc/issue; chown 7:8 /etc/passwd', { user: 'root' });
      const look =
        'cat file link symbolic; stat -c "%a %U %h" file closed; ls -A /etc | wc -l; ls -A; stat -c %u:%g /etc/passwd';
      const expected = await tell(parent, look);
      const specs = childrenOf(3, { volumes });
      const report = await harness.driver.fork(parent.id, specs);
      expect(report.memory).toBe(false);
      expect(report.pauseMs).toBeGreaterThan(0);
      const forked = all(report);
      expect(forked.map(({ id }) => id)).toEqual(specs.map(({ id }) => id));
      for (const child of forked) {
        expect(await tell(child, look)).toBe(expected);
        await run(child, `echo ${child.id} > file; rm -r closed`);
        expect(await readFile(child.files, '/home/user/file')).toBe(`${child.id}\n`);
        expect(await tell(child, 'cat /mnt/forked/v')).toBe('v');
      }
      expect(await tell(parent, look)).toBe(expected);
      const [first] = forked;
      await run(parent, 'echo new > /mnt/forked/v');
      expect(first && (await tell(first, 'cat /mnt/forked/v'))).toBe('new');
    });

    test('the parent goes on, with its commands', async () => {
      const parent = await harness.create();
      await startCounter(parent);
      await expect.poll(() => readFile(parent.files, '/tmp/count').catch(() => '')).toMatch(/3/);
      all(await harness.driver.fork(parent.id, childrenOf(1)));
      const before = (await readFile(parent.files, '/tmp/count')).length;
      await expect
        .poll(async () => (await readFile(parent.files, '/tmp/count')).length)
        .toBeGreaterThan(before);
      expect(await tell(parent, 'echo alive')).toBe('alive');
    });

    test('children begin with the processes of their parent', async (context) => {
      if (!keepsMemory()) context.skip('the isolation does not keep memory');
      const parent = await harness.create();
      await startCounter(parent);
      await expect.poll(() => readFile(parent.files, '/tmp/count').catch(() => '')).toMatch(/5/);
      const report = await harness.driver.fork(parent.id, childrenOf(2), { memory: true });
      expect(report.memory).toBe(true);
      for (const sandbox of [parent, ...all(report)]) {
        await sleep(200);
        const lines = (await readFile(sandbox.files, '/tmp/count')).trim().split('\n');
        expect(lines).toEqual(lines.map((_, index) => String(index + 1)));
        const count = lines.length;
        await expect
          .poll(async () => (await readFile(sandbox.files, '/tmp/count')).split('\n').length)
          .toBeGreaterThan(count + 2);
        expect(await tell(sandbox, 'echo $((6 * 7)); id -un')).toBe('42\nuser');
      }
    });

    test('an isolation without memory says so', async (context) => {
      if (keepsMemory()) context.skip('the isolation keeps memory');
      const parent = await harness.create();
      const fork = harness.driver.fork(parent.id, childrenOf(1), { memory: true });
      await expectFault(fork, 'memory_unavailable');
      expect(await tell(parent, 'echo alive')).toBe('alive');
    });

    test('of a paused, a hibernated and a forked one', async () => {
      const spec = harness.spec();
      const parent = await harness.create(spec);
      await writeFile(parent.files, '/home/user/file', 'here');
      await harness.driver.pause(spec.id);
      const [one] = all(await harness.driver.fork(spec.id, childrenOf(1)));
      expect(parent.paused).toBe(true);
      expect(one && (await tell(one, 'cat file'))).toBe('here');
      await harness.driver.resume(spec.id);
      await harness.driver.hibernate(spec.id);
      const memory = keepsMemory();
      const report = await harness.driver.fork(spec.id, childrenOf(2), { memory });
      expect(report).toMatchObject({ memory, pauseMs: 0 });
      for (const child of all(report)) expect(await tell(child, 'cat file')).toBe('here');
      const woken = await harness.driver.wake(spec);
      expect(woken.memory).toBe(memory);
      const [child] = all(report);
      const [grandchild] = child ? all(await harness.driver.fork(child.id, childrenOf(1))) : [];
      expect(grandchild && (await tell(grandchild, 'cat file'))).toBe('here');
    });

    test('outlives its parent', async () => {
      const parent = await harness.create();
      await run(parent, 'head -c 3000000 /dev/zero > zeros; echo x > file');
      const [child] = all(await harness.driver.fork(parent.id, childrenOf(1)));
      await harness.driver.remove(parent.id);
      expect(child && (await tell(child, 'cat file; wc -c < zeros'))).toBe('x\n3000000');
    });

    test('each child is held to its own limits', async (context) => {
      if (subject.lacking?.diskLimit !== undefined) context.skip(subject.lacking.diskLimit);
      const limits = { ...harness.spec().limits, diskBytes: 64 * mebibyte };
      const parent = await harness.create({ limits });
      await run(parent, 'head -c 20000000 /dev/zero > zeros');
      const [wide] = childrenOf(1, { limits: { ...limits, diskBytes: 128 * mebibyte } });
      const [narrow] = childrenOf(1, { limits });
      if (!wide || !narrow) throw new Error('two specs were made');
      const [larger, same] = all(await harness.driver.fork(parent.id, [wide, narrow]));
      const fill = 'head -c 60000000 /dev/zero > more && echo fits';
      expect(larger && (await tell(larger, fill))).toBe('fits');
      expect(same && (await tell(same, fill))).toBe('');
    });

    test('one child that cannot be made is told; the others are there', async () => {
      const parent = await harness.create();
      const specs = [...childrenOf(1), ...childrenOf(1, { user: 'nobody-here' }), ...childrenOf(1)];
      const { children: outcomes } = await harness.driver.fork(parent.id, specs);
      expect(outcomes.map((each) => each instanceof SandportFault)).toEqual([false, true, false]);
      const alone = harness.driver.fork(parent.id, childrenOf(1, { user: 'nobody-here' }));
      await expectFault(alone, 'invalid_request');
      expect(await tell(parent, 'echo alive')).toBe('alive');
    });

    test('ends when it is told to, and when the parent is removed', async () => {
      const parent = await harness.create();
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(harness.driver.fork(parent.id, childrenOf(2), { signal })).rejects.toThrow(
        'enough',
      );
      const fork = harness.driver.fork(parent.id, childrenOf(2)).catch((error: unknown) => error);
      await harness.driver.remove(parent.id);
      await fork;
      await expectFault(harness.driver.fork(parent.id, childrenOf(1)), 'sandbox_not_found');
    });
  });
}
