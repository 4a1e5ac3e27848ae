import { volumeNameSchema } from '@sandport/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import { Harness, readFile, run, runsOnHost, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

export function adoptionSuite(subject: ConformanceSubject): void {
  describe('adoption by the next driver', () => {
    const harness = new Harness(subject);
    afterEach(async () => {
      await harness.removeAll();
      await harness.close();
    });
    const only = (sandboxes: readonly DriverSandbox[]): DriverSandbox => {
      const [first] = sandboxes;
      if (!first || sandboxes.length > 1) throw new Error(`${sandboxes.length} were adopted`);
      return first;
    };

    test('a living sandbox goes on: its processes, files and volumes', async () => {
      await harness.open();
      const volume = volumeNameSchema.parse('lasting');
      const spec = harness.spec({ volumes: [{ name: volume }], env: { WHO: 'me' } });
      const first = await harness.create(spec);
      await writeFile(first.files, '/tmp/kept', 'kept');
      const counter = 'while :; do echo x >> /tmp/count; sleep 0.05; done';
      const command = await first.commands.start({ args: ['sh', '-c', counter] });
      command.exit.catch(() => {});
      await harness.close();
      const report = await harness.open([spec]);
      expect(report.stopped).toEqual([]);
      expect(report.lost).toEqual([]);
      const sandbox = only(report.running);
      expect(sandbox.id).toBe(spec.id);
      const before = (await readFile(sandbox.files, '/tmp/count')).length;
      const result = await run(
        sandbox,
        'cat /tmp/kept; echo $WHO; echo v > /mnt/lasting/v; id -un',
      );
      expect(result.stdout).toBe('keptme\nuser\n');
      expect(await readFile(sandbox.files, '/mnt/lasting/v')).toBe('v\n');
      await run(sandbox, 'sleep 0.3');
      expect((await readFile(sandbox.files, '/tmp/count')).length).toBeGreaterThan(before);
      let died = false;
      void sandbox.died.then(() => (died = true));
      await harness.driver.remove(spec.id);
      await harness.driver.volumes.remove(spec.namespace, volume);
      expect(died).toBe(false);
    });

    test('an adopted sandbox that dies is noticed', async () => {
      await harness.open();
      const spec = harness.spec();
      await harness.create(spec);
      await harness.close();
      const sandbox = only((await harness.open([spec])).running);
      process.kill(subject.initPid(spec.id), 'SIGKILL');
      expect((await sandbox.died).reason).not.toBe('');
    });

    test('one that died meanwhile is stopped, with its files', async () => {
      await harness.open();
      const spec = harness.spec();
      const first = await harness.create(spec);
      await writeFile(first.files, '/home/user/left', 'left');
      await harness.close();
      process.kill(subject.initPid(spec.id), 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 300));
      const report = await harness.open([spec]);
      expect(report.running).toEqual([]);
      expect(report.stopped.map((each) => each.id)).toEqual([spec.id]);
      const files = report.stopped[0]?.files;
      expect(files && (await readFile(files, '/home/user/left'))).toBe('left');
      expect(report.stopped[0]?.reason).not.toBe('');
      await harness.driver.remove(spec.id);
    });

    test('what nobody knows is removed, what is not there is lost', async () => {
      await harness.open();
      const unknown = harness.spec();
      await harness.create(unknown);
      const pid = subject.initPid(unknown.id);
      await harness.close();
      const never = harness.spec();
      const report = await harness.open([never]);
      expect(report).toMatchObject({ running: [], stopped: [], lost: [never.id] });
      expect(runsOnHost(pid)).toBe(false);
      const again = await harness.create(unknown);
      expect((await run(again, 'ls -A /tmp')).stdout).toBe('');
    });
  });
}
