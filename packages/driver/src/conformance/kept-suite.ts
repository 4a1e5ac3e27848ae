import { describe, expect, test } from 'vitest';
import { expectFault, run, useHarness, within } from './harness.ts';
import { counting, firstOf, follow, keep, keptNow, newKey } from './kept-harness.ts';
import type { ConformanceSubject } from './subject.ts';

export function keptSuite(subject: ConformanceSubject): void {
  describe('kept commands', () => {
    const harness = useHarness(subject);

    test('keeps the streams apart and exact, with offsets, and how it ended', async () => {
      const sandbox = await harness.create();
      const details = { name: 'first', nested: [1, { two: null }] };
      const command = await keep(sandbox, 'printf "\\0\\377out"; printf err >&2; exit 7', {
        details,
      });
      expect(command.startedAt.getTime()).toBeLessThanOrEqual(Date.now());
      await within(20_000, command.ended);
      expect(command).toMatchObject({
        state: 'ended',
        details,
        hasTerminal: false,
        pid: undefined,
        end: { exitCode: 7, timedOut: false, oomKilled: false },
      });
      expect(await follow(command)).toBe('\0\xffout');
      expect(await follow(command, 'stdout', 3)).toBe('ut');
      expect(await follow(command, 'stderr')).toBe('err');
      expect(command.range('stdout')).toEqual({ startOffset: 0, endOffset: 5 });
      for (const since of [5, 1000])
        expect((await command.read('stdout', { since }).next()).done).toBe(true);
      command.kill();
      command.resize({ columns: 1, rows: 1 });
      expect(sandbox.commands.kept()).toEqual([command]);
      await command.remove();
      expect(sandbox.commands.kept()).toEqual([]);
    });

    test('refuses what cannot be kept, and leaves nothing of it', async () => {
      const sandbox = await harness.create();
      const key = newKey();
      const first = await keep(sandbox, 'sleep 60', { key });
      await expectFault(() => keep(sandbox, 'true', { key }), 'invalid_request');
      await expectFault(() => keep(sandbox, 'true', { key: '../../etc' }), 'invalid_request');
      await expectFault(
        () => keep(sandbox, 'true', { details: { text: 'x'.repeat(20_000) } }),
        'invalid_request',
      );
      await expectFault(() => keep(sandbox, '', { args: ['/no/such'] }), 'command_not_started');
      expect(sandbox.commands.kept()).toEqual([first]);
      await first.remove();
      const again = await keep(sandbox, 'echo again', { key });
      expect(await within(20_000, follow(again))).toBe('again\n');
    });

    test('takes stdin, signals and removal', async () => {
      const sandbox = await harness.create();
      const echo = await keep(sandbox, 'cat; echo done', { stdin: true });
      const sent = 'y'.repeat(300_000);
      echo.stdin?.write(sent.slice(0, 100_000));
      echo.stdin?.end(sent.slice(100_000));
      expect(await within(20_000, follow(echo))).toBe(`${sent}done\n`);
      const none = await keep(sandbox, 'cat; echo none');
      expect(none.stdin).toBeUndefined();
      expect(await within(20_000, follow(none))).toBe('none\n');
      // Without a shell: while it starts a program, it may throw an interrupt away.
      const sleeper = await keep(sandbox, '', { args: ['sleep', '60'] });
      sleeper.kill('SIGINT');
      await within(20_000, sleeper.ended);
      expect(sleeper.end).toMatchObject({ signal: 'SIGINT' });
      const late = await keep(sandbox, 'sleep 60', { timeoutMs: 100 });
      await within(20_000, late.ended);
      expect(late.end).toMatchObject({ timedOut: true });
      const stubborn = await keep(sandbox, 'trap "" TERM; echo ready; sleep 60 & wait; wait');
      expect(await firstOf(stubborn, 6)).toBe('ready\n');
      await within(20_000, stubborn.remove());
      expect((await run(sandbox, 'ps ax | grep -c "[s]leep 60"')).stdout.trim()).toBe('0');
    });

    test('has a terminal', async () => {
      const sandbox = await harness.create();
      const script = 'stty -echo; echo up; read line; echo "got $line"; stty size';
      const command = await keep(sandbox, script, { terminal: { columns: 80, rows: 24 } });
      expect(command.hasTerminal).toBe(true);
      expect(await firstOf(command, 4)).toBe('up\r\n');
      command.resize({ columns: 90, rows: 40 });
      command.stdin?.write('it\r');
      expect(await within(20_000, follow(command))).toContain('got it\r\n40 90\r\n');
    });

    test('older bytes go, but not those that a follower has not read', async () => {
      const sandbox = await harness.create();
      const { script, output } = counting(300_000);
      const options = { outputLimitBytes: 200_000 };
      const alone = await keep(sandbox, script, options);
      const followed = await keep(sandbox, script, options);
      expect((await within(20_000, follow(followed))) === output).toBe(true);
      await within(20_000, alone.ended);
      const { startOffset, endOffset } = alone.range('stdout');
      expect(endOffset).toBe(output.length);
      expect(endOffset - startOffset).toBeGreaterThanOrEqual(200_000);
      expect(endOffset - startOffset).toBeLessThan(1_000_000);
      const [first] = [await alone.read('stdout', { since: 10 }).next()];
      expect(first.value?.offset).toBe(startOffset);
      const { start, text } = await keptNow(alone);
      expect([start, text === output.slice(startOffset)]).toEqual([startOffset, true]);
    });

    test('a reader that is aborted ends; a follower waits for what comes', async () => {
      const sandbox = await harness.create();
      const command = await keep(sandbox, 'read line; echo "$line"', { stdin: true });
      const abort = new AbortController();
      const reading = command.read('stdout', { follow: true, signal: abort.signal }).next();
      abort.abort();
      await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
      const followed = follow(command);
      command.stdin?.end('later\n');
      expect(await within(20_000, followed)).toBe('later\n');
    });

    test('keeps 256, and as many again once those are removed', async () => {
      const sandbox = await harness.create();
      const startMany = async (count: number) => {
        for (let left = count; left > 0; left -= 16)
          await Promise.all(
            Array.from({ length: Math.min(left, 16) }, async () => {
              const command = await keep(sandbox, 'true', { args: ['true'] });
              await command.ended;
            }),
          );
      };
      await within(60_000, startMany(256));
      expect(sandbox.commands.kept()).toHaveLength(256);
      await expectFault(() => keep(sandbox, 'true'), 'limit_reached');
      await Promise.all(sandbox.commands.kept().map((command) => command.remove()));
      await startMany(1);
      expect(sandbox.commands.kept()).toHaveLength(1);
    });
  });
}
