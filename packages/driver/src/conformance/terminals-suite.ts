import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Command, CommandSpec } from '../commands.ts';
import type { DriverSandbox } from '../driver.ts';
import { expectFault, run, useHarness, within } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

/** A command in a terminal, and what it has shown so far. */
class Session {
  readonly command: Command;
  screen = '';
  readonly #shown: Promise<unknown>;

  private constructor(command: Command) {
    this.command = command;
    command.stdout.on('data', (bytes: Buffer) => {
      this.screen += bytes.toString();
    });
    this.#shown = once(command.stdout, 'end');
    this.#shown.catch(() => {});
    command.stderr.resume();
    command.exit.catch(() => {});
  }

  static async start({ commands }: DriverSandbox, script: string, spec?: Partial<CommandSpec>) {
    const terminal = { columns: 100, rows: 30 };
    return new Session(await commands.start({ args: ['sh', '-c', script], terminal, ...spec }));
  }

  type(keys: string): void {
    this.command.stdin?.write(keys);
  }

  async shows(text: string | RegExp): Promise<void> {
    await expect.poll(() => this.screen, { timeout: 20_000 }).toMatch(text);
  }

  /** How it ended, once all that it wrote is on the screen. */
  async exit() {
    const [exit] = await within(20_000, Promise.all([this.command.exit, this.#shown]));
    return exit;
  }
}

export function terminalsSuite(subject: ConformanceSubject): void {
  describe('terminals', () => {
    const harness = useHarness(subject);
    const { lacking = {} } = subject;
    const sessions: Session[] = [];
    let sandbox: DriverSandbox;
    beforeAll(async () => {
      sandbox = await harness.create();
    });
    afterEach(() => {
      for (const { command } of sessions.splice(0)) command.kill('SIGKILL');
    });
    const session = async (script: string, spec?: Partial<CommandSpec>) => {
      const started = await Session.start(sandbox, script, spec);
      sessions.push(started);
      return started;
    };

    /** How many processes have this command line. */
    const count = async (line: string) =>
      (await run(sandbox, ['pgrep', '-cxf', line])).stdout.trim();
    const running = (line: string, times: number) =>
      expect.poll(() => count(line), { timeout: 20_000 }).toBe(`${times}`);

    test('have a size, a kind, three ends and the code of their command', async () => {
      const program =
        'stty size; test -t 0 && test -t 1 && test -t 2 && echo all; echo $TERM; ' +
        'echo to-stderr >&2; exit 7';
      const shown = await session(program);
      expect(await shown.exit()).toMatchObject({ exitCode: 7, timedOut: false });
      expect(shown.screen).toBe('30 100\r\nall\r\nxterm-256color\r\nto-stderr\r\n');
      const own = await session('echo $TERM', { env: { TERM: 'dumb' } });
      await own.exit();
      expect(own.screen).toBe('dumb\r\n');
    });

    test('belong to the user of their command, who can open them again', async () => {
      const shown = await session('stat -c "%U %a" $(tty); echo again > $(tty); id -un');
      await shown.exit();
      expect(shown.screen).toBe('user 620\r\nagain\r\nuser\r\n');
    });

    test('are /dev/tty to their programs', async (context) => {
      if (lacking.terminalByName !== undefined) context.skip(lacking.terminalByName);
      const shown = await session('echo named > /dev/tty');
      await shown.exit();
      expect(shown.screen).toBe('named\r\n');
    });

    test('show what is typed, and give lines to what reads them', async () => {
      const shown = await session('read line; echo "got $line"');
      shown.type('hello wörld\r');
      expect((await shown.exit()).exitCode).toBe(0);
      expect(shown.screen).toBe('hello wörld\r\ngot hello wörld\r\n');
    });

    test('take back what was typed', async (context) => {
      if (lacking.lineEditing !== undefined) context.skip(lacking.lineEditing);
      const shown = await session('read line; echo "got $line"');
      shown.type('hellp\x7fo\r');
      await shown.exit();
      expect(shown.screen).toContain('got hello\r\n');
    });

    test('stay when the client ends its stream', async () => {
      const shown = await session('cat; echo end');
      shown.type('one\r');
      await shown.shows('one\r\none\r\n');
      shown.command.stdin?.end();
      await sleep(200);
      expect(shown.screen).not.toContain('end');
      shown.command.kill('SIGHUP');
      expect((await shown.exit()).signal).toBe('SIGHUP');
    });

    test('end the input of a program at ^D', async (context) => {
      if (lacking.lineEditing !== undefined) context.skip(lacking.lineEditing);
      const other = await session('cat; echo end');
      other.type('\x04');
      await other.exit();
      expect(other.screen).toContain('end\r\n');
    });

    test('tell a program their new size', async () => {
      const script = 'trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.05; done';
      const shown = await session(script);
      await shown.shows('ready');
      shown.command.resize({ columns: 81, rows: 25 });
      expect((await shown.exit()).exitCode).toBe(3);
      expect(shown.screen).toContain('25 81\r\n');
      shown.command.resize({ columns: 1, rows: 1 });
    });

    test('interrupt the program in front at ^C, and leave the shell', async () => {
      const shown = await session('exec bash --norc -i', { env: { PS1: '> ' } });
      await shown.shows('> ');
      shown.type('sleep 610\r');
      await running('sleep 610', 1);
      shown.type('\x03');
      await running('sleep 610', 0);
      shown.type('echo code $?\r');
      await shown.shows('code 130\r\n');
      shown.type('exit 4\r');
      expect((await shown.exit()).exitCode).toBe(4);
    });

    test('can be set to give every key at once', async () => {
      const program =
        'import tty,os;tty.setraw(0);print("raw",flush=True);' +
        'b=b"";\nwhile len(b)<3: b+=os.read(0,3)\nos.write(1,repr(b).encode())';
      const shown = await session('', { args: ['python3', '-c', program] });
      await shown.shows('raw');
      shown.type('\x03a\r');
      await shown.exit();
      expect(shown.screen).toContain(String.raw`b'\x03a\r'`);
    });

    test('stop the program in front at ^Z, and let it go on', async () => {
      const shown = await session('exec bash --norc -i', { env: { PS1: '> ' } });
      await shown.shows('> ');
      shown.type('sleep 3.1\r');
      await running('sleep 3.1', 1);
      shown.type('\x1a');
      await shown.shows('Stopped');
      shown.type('fg; echo code $?\r');
      await shown.shows('code 0\r\n');
      shown.type('exit\r');
      await shown.exit();
    });

    test('take more at once than they hold', async () => {
      const program =
        'import tty,os;tty.setraw(0);print("raw",flush=True);n=0\n' +
        'while n<100000: n+=len(os.read(0,65536))\nprint("all",flush=True)';
      const shown = await session('', { args: ['python3', '-c', program] });
      await shown.shows('raw');
      shown.type('x'.repeat(100_000));
      expect((await shown.exit()).exitCode).toBe(0);
      expect(shown.screen).toContain('all');
    });

    test('deliver all that was written before the end', async () => {
      for (let round = 0; round < 5; round++) {
        const shown = await session('seq 1 20000; printf last');
        expect((await shown.exit()).exitCode).toBe(0);
        expect(shown.screen.length).toBe(128_898);
        expect(shown.screen.endsWith('20000\r\nlast')).toBe(true);
      }
    });

    test('are gone with their command, whatever it left behind', async () => {
      const shown = await session('sleep 300 & echo left');
      expect((await shown.exit()).exitCode).toBe(0);
      expect(shown.screen).toContain('left');
      await expect
        .poll(async () => (await run(sandbox, 'ls /dev/pts | grep -v ptmx; true')).stdout, {
          timeout: 5000,
        })
        .toBe('');
      await run(sandbox, 'pkill -x sleep; true');
      const processes = async () => (await run(sandbox, 'set -- /proc/[0-9]*; echo $#')).stdout;
      // The init, and the shell that asks.
      await expect.poll(processes, { timeout: 5000 }).toBe('2\n');
    });

    test('hang up when their sandbox was hibernated, and do not keep it from that', async () => {
      const spec = harness.spec();
      const sleeper = await harness.create(spec);
      const script = 'trap "echo bye > /tmp/bye; exit" HUP; echo up; while :; do sleep 0.05; done';
      const shown = await Session.start(sleeper, script);
      await shown.shows('up');
      const { hibernation } = await harness.driver.hibernate(spec.id);
      await expectFault(shown.command.exit, 'invalid_state');
      const { sandbox: woken, memory } = await harness.driver.wake(spec);
      expect(memory).toBe(hibernation.memory);
      const bye = async () => (await run(woken, 'cat /tmp/bye 2>/dev/null')).stdout;
      if (memory) await expect.poll(bye, { timeout: 10_000 }).toBe('bye\n');
    });

    test('go on in a sandbox that is forked with its memory', async (context) => {
      if (!harness.driver.memoryIsolations.includes(subject.isolation))
        context.skip('the isolation does not keep memory');
      const spec = harness.spec();
      const parent = await harness.create(spec);
      const shown = await Session.start(parent, 'echo up; read line; echo "got $line"; stty size');
      await shown.shows('up');
      const child = harness.spec();
      harness.track(child);
      await harness.driver.fork(parent.id, [child], { memory: true });
      shown.command.resize({ columns: 90, rows: 40 });
      shown.type('awake\r');
      expect((await shown.exit()).exitCode).toBe(0);
      expect(shown.screen).toContain('got awake\r\n40 90\r\n');
    });

    test('take the program in front with them when their shell is killed', async () => {
      const shown = await session('exec bash --norc -i', { env: { PS1: '> ' } });
      await shown.shows('> ');
      shown.type('sleep 611\r');
      await running('sleep 611', 1);
      shown.command.kill('SIGKILL');
      expect((await shown.exit()).signal).toBe('SIGKILL');
      await running('sleep 611', 0);
    });

    test('hang up when they are told to', async () => {
      const shown = await session('trap "echo bye > /tmp/bye; exit 1" HUP; echo up; cat');
      await shown.shows('up');
      shown.command.kill('SIGHUP');
      await shown.exit();
      const end = await run(sandbox, 'cat /tmp/bye');
      expect(end.stdout).toBe('bye\n');
    });

    test('ask for passwords without showing them', async () => {
      const program =
        'import sys,termios;old=termios.tcgetattr(0);new=termios.tcgetattr(0);' +
        'new[3]&=~termios.ECHO;termios.tcsetattr(0,termios.TCSAFLUSH,new);print("ask",flush=True);' +
        'line=input();termios.tcsetattr(0,termios.TCSAFLUSH,old);print("is",line)';
      const shown = await session('', { args: ['python3', '-c', program] });
      await shown.shows('ask');
      shown.type('secret\r');
      await shown.exit();
      expect(shown.screen).toBe('ask\r\nis secret\r\n');
    });

    test('hold back what writes faster than it is read', async () => {
      const { commands } = sandbox;
      const terminal = { columns: 80, rows: 24 };
      const command = await commands.start({ args: ['yes'], terminal });
      await once(command.stdout, 'readable');
      await sleep(300);
      expect((await run(sandbox, 'echo alive')).stdout).toBe('alive\n');
      command.kill('SIGKILL');
      command.stdout.destroy();
      command.stderr.destroy();
      expect((await within(5000, command.exit)).signal).toBe('SIGKILL');
    });
  });
}
