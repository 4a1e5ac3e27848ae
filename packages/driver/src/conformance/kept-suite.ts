import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import type { KeepSpec, KeptCommand } from '../kept-commands.ts';
import { expectFault, run, useHarness, within } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const newKey = () => randomBytes(16).toString('hex');

/** Starts a shell command line that is kept. */
const keep = (
  { commands }: DriverSandbox,
  script: string,
  options: Partial<KeepSpec> = {},
): Promise<KeptCommand> => commands.keep({ key: newKey(), args: ['sh', '-c', script], ...options });

/** All that is to be read from an offset on, to the end. */
async function follow(command: KeptCommand, stream: 'stdout' | 'stderr', since = 0) {
  const pieces: Buffer[] = [];
  for await (const { bytes } of command.read(stream, { since, follow: true })) pieces.push(bytes);
  return Buffer.concat(pieces).toString('latin1');
}

export function keptSuite(subject: ConformanceSubject): void {
  describe('kept commands', () => {
    const harness = useHarness(subject);

    test('keeps the streams apart and exact, with offsets, and how it ended', async () => {
      const sandbox = await harness.create();
      const details = { name: 'first', nested: [1, { two: null }] };
      const command = await keep(sandbox, 'printf "\\0\\377out"; printf err >&2; exit 7', {
        details,
      });
      expect(command.pid).toBeGreaterThan(0);
      await within(10_000, command.ended);
      expect(command).toMatchObject({
        state: 'ended',
        details,
        hasTerminal: false,
        pid: undefined,
        end: { exitCode: 7, timedOut: false, oomKilled: false },
      });
      expect(await follow(command, 'stdout')).toBe('\0\xffout');
      expect(await follow(command, 'stdout', 3)).toBe('ut');
      expect(await follow(command, 'stderr')).toBe('err');
      expect(command.range('stdout')).toEqual({ startOffset: 0, endOffset: 5 });
      expect(sandbox.commands.kept()).toEqual([command]);
      await command.remove();
      expect(sandbox.commands.kept()).toEqual([]);
      await expectFault(() => keep(sandbox, 'true', { args: ['/no/such'] }), 'command_not_started');
      expect(sandbox.commands.kept()).toEqual([]);
    });

    test('takes stdin, signals and removal', async () => {
      const sandbox = await harness.create();
      const echo = await keep(sandbox, 'cat; echo done', { stdin: true });
      const sent = 'y'.repeat(300_000);
      echo.stdin?.write(sent.slice(0, 100_000));
      echo.stdin?.end(sent.slice(100_000));
      expect(await within(10_000, follow(echo, 'stdout'))).toBe(`${sent}done\n`);
      const sleeper = await keep(sandbox, 'sleep 60');
      sleeper.kill('SIGINT');
      await within(10_000, sleeper.ended);
      expect(sleeper.end).toMatchObject({ signal: 'SIGINT' });
      const stubborn = await keep(sandbox, 'trap "" TERM; echo ready; sleep 60 & wait; wait');
      const { value } = await stubborn.read('stdout', { follow: true }).next();
      expect(String(value?.bytes)).toBe('ready\n');
      await within(10_000, stubborn.remove());
      expect((await run(sandbox, 'ps ax | grep -c "[s]leep 60"')).stdout.trim()).toBe('0');
    });
  });
}
