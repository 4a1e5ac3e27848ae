import { afterEach, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import { expectFault, Harness, mebibyte, run, useHarness, within } from './harness.ts';
import { counting, firstOf, follow, keep, keptNow, keptOf, newKey } from './kept-harness.ts';
import type { ConformanceSubject } from './subject.ts';

const only = (sandboxes: readonly DriverSandbox[]): DriverSandbox => {
  const [first] = sandboxes;
  if (!first || sandboxes.length > 1) throw new Error(`${sandboxes.length} were adopted`);
  return first;
};

/** What kept commands have on the disk of their sandbox, and what becomes of it. */
export function keptDiskSuite(subject: ConformanceSubject): void {
  describe('kept commands and the next driver', () => {
    const harness = new Harness(subject);
    afterEach(async () => {
      await harness.removeAll();
      await harness.close();
    });

    test('they go on, and nothing is lost or doubled', async () => {
      await harness.open();
      const spec = harness.spec();
      const first = await harness.create(spec);
      const { script, output } = counting(200_000);
      const details = { which: 'counter' };
      const counter = await keep(first, script, { details });
      const short = await keep(first, 'echo begun; read line; echo "$line" >&2; exit 3', {
        stdin: true,
      });
      const shown = await keep(first, 'stty -echo; echo up; read line; echo "got $line"', {
        terminal: { columns: 80, rows: 24 },
      });
      expect(await firstOf(short, 6)).toBe('begun\n');
      expect(await firstOf(shown, 4)).toBe('up\r\n');
      const meanwhile = await keep(first, 'sleep 0.2; echo meanwhile; exit 4');
      const keys = [counter, short, shown, meanwhile].map(({ key }) => key);
      await harness.close();
      await new Promise((resolve) => setTimeout(resolve, 400));
      const sandbox = only((await harness.open([spec])).running);
      expect(sandbox.commands.kept().map(({ key }) => key)).toEqual(keys);
      const [counter2, short2, shown2, meanwhile2] = keys.map((key) =>
        keptOf(sandbox.commands, key),
      );
      if (!counter2 || !short2 || !shown2 || !meanwhile2) throw new Error('all are there');
      expect(counter2).toMatchObject({ details, startedAt: counter.startedAt });
      expect((await within(20_000, follow(counter2))) === output).toBe(true);
      expect(short2).toMatchObject({ state: 'running' });
      expect(short2.pid).toBeGreaterThan(0);
      short2.stdin?.end('late\n');
      expect(await within(20_000, follow(short2, 'stderr'))).toBe('late\n');
      expect(await follow(short2)).toBe('begun\n');
      expect(short2.end).toMatchObject({ exitCode: 3 });
      shown2.stdin?.write('it\r');
      expect(await within(20_000, follow(shown2))).toBe('up\r\ngot it\r\n');
      expect(await within(20_000, follow(meanwhile2))).toBe('meanwhile\n');
      expect(meanwhile2.end).toMatchObject({ exitCode: 4 });
      // What has ended is the same for a third one.
      await harness.close();
      const third = only((await harness.open([spec])).running);
      expect(keptOf(third.commands, counter.key)).toMatchObject({
        state: 'ended',
        end: { exitCode: 0 },
      });
      expect((await follow(keptOf(third.commands, counter.key))) === output).toBe(true);
    });

    test('of a sandbox that has died, what was kept is read; those that ran are lost', async () => {
      await harness.open();
      const spec = harness.spec();
      const first = await harness.create(spec);
      const { key } = await keep(first, 'echo said; sleep 60');
      const ended = await keep(first, 'echo whole');
      await ended.ended;
      await harness.close();
      process.kill(subject.initPid(spec.id), 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 300));
      const [stopped] = (await harness.open([spec])).stopped;
      expect(keptOf(stopped?.commands, key)).toMatchObject({ state: 'lost', end: undefined });
      expect(await follow(keptOf(stopped?.commands, ended.key))).toBe('whole\n');
      await keptOf(stopped?.commands, key).ended;
      const { sandbox } = await harness.driver.wake(spec);
      expect(sandbox.commands.kept().map(({ state }) => state)).toEqual(['lost', 'ended']);
    });
  });

  describe('kept commands and sleep, forks and full disks', () => {
    const harness = useHarness(subject);
    const memory = () => harness.driver.memoryIsolations.includes(subject.isolation);

    test('they go on after a sleep with memory, and are lost without', async () => {
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      const command = await keep(sandbox, 'echo before; read line; echo "$line"; exit 5', {
        stdin: true,
      });
      expect(await firstOf(command, 7)).toBe('before\n');
      const stopped = await harness.driver.hibernate(spec.id);
      const kept = keptOf(stopped.commands, command.key);
      expect(kept.state).toBe(memory() ? 'running' : 'lost');
      const [{ value }] = [await kept.read('stdout').next()];
      expect(String(value?.bytes)).toBe('before\n');
      const woken = await harness.driver.wake(spec);
      expect(woken.memory).toBe(memory());
      const again = keptOf(woken.sandbox.commands, command.key);
      again.stdin?.end('after\n');
      expect(await within(20_000, follow(again))).toBe(memory() ? 'before\nafter\n' : 'before\n');
      expect(again.end?.exitCode).toBe(memory() ? 5 : undefined);
      expect(again.state).toBe(memory() ? 'ended' : 'lost');
      const next = await keep(woken.sandbox, 'echo next');
      expect(await within(20_000, follow(next))).toBe('next\n');
    });

    test('a fork has them too; with memory they go on in both', async () => {
      const spec = harness.spec();
      const sandbox = await harness.create(spec);
      const { script, output } = counting(100_000);
      const command = await keep(sandbox, `${script}; read line; echo "$line"`, { stdin: true });
      const ended = await keep(sandbox, script);
      await within(20_000, ended.ended);
      expect((await within(20_000, firstOf(command, output.length))) === output).toBe(true);
      for (const withMemory of memory() ? [true, false] : [false]) {
        const child = harness.spec();
        harness.track(child);
        const report = await harness.driver.fork(spec.id, [child], { memory: withMemory });
        const [made] = report.children;
        if (made === undefined || !('commands' in made)) throw new Error('no child was made');
        const copy = keptOf(made.commands, command.key);
        expect((await follow(keptOf(made.commands, ended.key))) === output).toBe(true);
        expect(copy.state).toBe(withMemory ? 'running' : 'lost');
        copy.stdin?.end('child\n');
        const text = await within(20_000, follow(copy));
        expect(text === `${output}${withMemory ? 'child\n' : ''}`).toBe(true);
        await copy.remove();
        expect(keptOf(sandbox.commands, command.key).state).toBe('running');
      }
      command.stdin?.end('parent\n');
      expect((await within(20_000, follow(command))) === `${output}parent\n`).toBe(true);
      await harness.driver.remove(spec.id);
    });

    test.skipIf(subject.lacking?.diskLimit !== undefined)(
      'a full disk takes the oldest bytes, and never the end',
      async () => {
        const spec = harness.spec({
          limits: { cpu: 2, memoryBytes: 256 * mebibyte, pids: 64, diskBytes: 48 * mebibyte },
        });
        const sandbox = await harness.create(spec);
        const { script, output } = counting(300_000);
        const running = await keep(sandbox, `read line; ${script}; exit 6`, { stdin: true });
        await run(sandbox, 'cat /dev/zero > /home/user/fill; sync');
        running.stdin?.end('go\n');
        const key = newKey();
        const started = await keep(sandbox, 'echo full', { key });
        await within(20_000, Promise.all([running.ended, started.ended]));
        expect(running.end).toMatchObject({ exitCode: 6 });
        expect(running.range('stdout').endOffset).toBe(output.length);
        await expect
          .poll(async () => {
            const { start, text } = await keptNow(running);
            return text.length > 30_000 && text === output.slice(start);
          })
          .toBe(true);
        await expectFault(() => keep(sandbox, '', { args: ['/no/such'] }), 'command_not_started');
        await run(sandbox, 'rm /home/user/fill; sync');
        await running.remove();
        expect(await follow(started)).toBe('full\n');
      },
    );
  });
}
