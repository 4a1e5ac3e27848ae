import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isAlive, processStartTime } from '../process-identity.ts';
import { ProgramError } from './program-error.ts';
import { runProgram } from './run-program.ts';
import { type Program, startProgram } from './start-program.ts';

const sh = (script: string, options: Parameters<typeof runProgram>[2] = {}) =>
  runProgram('sh', ['-c', script], options);

const descriptors = () => readdirSync('/proc/self/fd').length;

/** Children of this process that nobody has waited for. */
const zombies = () =>
  execFileSync('ps', ['--ppid', String(process.pid), '-o', 'stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('Z'));

test('what a program prints comes back, apart and whole', async () => {
  const output = await sh('echo one; echo two >&2; printf "\\303\\244"');
  expect(output).toEqual({ stdout: 'one\nä', stderr: 'two\n' });
});

test('a text is its standard input, of any size', async () => {
  const input = 'line\n'.repeat(300_000);
  const { stdout } = await runProgram('cat', [], { input });
  expect(stdout === input).toBe(true);
});

test('without a text it reads nothing', async () => {
  expect((await runProgram('cat', [])).stdout).toBe('');
});

test('arguments come as they are, and no variable of this process', async () => {
  process.env['SANDPORT_TEST_SECRET'] = 'secret';
  const odd = ['', 'a b', '\'"$HOME\\', 'ü\n', '-x'];
  const { stdout } = await runProgram('sh', [
    '-c',
    'printf "%s|" "$@"; env | sort | tr "\\n" ";"',
    'sh',
    ...odd,
  ]);
  delete process.env['SANDPORT_TEST_SECRET'];
  expect(stdout).toContain(`${odd.join('|')}|LC_ALL=C;`);
  expect(stdout).not.toContain('secret');
  expect((await sh('echo $ONE', { env: { ONE: 'mine', TWO: undefined } })).stdout).toBe('mine\n');
});

test.each([['-c', 'a\0b'], ['\0']])('an argument with NUL is refused', async (...args) => {
  await expect(runProgram('sh', args)).rejects.toThrow('EINVAL');
});

describe('a program that fails', () => {
  test('is told by its own words', async () => {
    const failed = sh('echo "no such thing" >&2; exit 3');
    await expect(failed).rejects.toThrow('sh: no such thing');
    await expect(failed).rejects.toMatchObject({ exitCode: 3, program: 'sh' });
  });

  test('without words is told by its status', async () => {
    await expect(sh('exit 7')).rejects.toThrow('sh: it ended with 7');
  });

  test('by a signal is told by that', async () => {
    await expect(sh('kill -SEGV $$')).rejects.toThrow('sh: it was ended by SIGSEGV');
  });

  test.each(['not-a-program-of-this-machine', '/nowhere/true', '/etc/passwd'])(
    'to start, %s, throws and leaves nothing',
    async (program) => {
      await runProgram('true', []);
      const before = descriptors();
      await expect(runProgram(program, [], { input: 'text' })).rejects.toThrow(
        /not installed|start .*: (ENOENT|EACCES)/,
      );
      expect(descriptors()).toBe(before);
    },
  );
});

describe('bounds', () => {
  test('one that prints without end is killed', async () => {
    const endless = runProgram('yes', [], { mostOutputBytes: 100_000 });
    await expect(endless).rejects.toThrow('yes: it printed more than 100000 bytes');
  });

  test('of complaints without end the first are kept', async () => {
    const failed = sh('head -c 10000000 /dev/zero | tr "\\0" x >&2; exit 1');
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProgramError);
    expect(String(error).length).toBeLessThan(1000);
  });

  test('one that takes too long is killed', async () => {
    const late = runProgram('sleep', ['1000'], { timeoutMs: 50 });
    await expect(late).rejects.toThrow('sleep: it took longer than 50 ms');
  });

  test('a process that it leaves behind keeps nobody waiting', async () => {
    const { stdout } = await sh('sleep 1000 & echo $!');
    const pid = Number(stdout);
    expect(processStartTime(pid)).toBeDefined();
    process.kill(pid, 'SIGKILL');
  });
});

describe('an abort', () => {
  test('kills the program, which has ended when that is told', async () => {
    const abort = new AbortController();
    const directory = mkdtempSync(join(tmpdir(), 'abort-'));
    const file = join(directory, 'pid');
    const run = sh(`echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 1000`, {
      signal: abort.signal,
    });
    run.catch(() => undefined);
    await expect.poll(() => readdirSync(directory)).toContain('pid');
    const pid = Number(readFileSync(file, 'utf8'));
    abort.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    expect(processStartTime(pid)).toBeUndefined();
    rmSync(directory, { recursive: true });
  });

  test('from before starts nothing', async () => {
    await expect(runProgram('/nowhere', [], { signal: AbortSignal.abort('late') })).rejects.toBe(
      'late',
    );
  });
});

test('a program inherits no open file and no ignored signal', async () => {
  const held = openSync('/etc/hostname', 'r');
  const { stdout } = await sh('ls /proc/self/fd; grep -E "SigIgn|SigBlk" /proc/self/status');
  closeSync(held);
  expect(stdout.split('\n')).not.toContain(String(held));
  // Those above are the C library's own.
  expect(stdout).toMatch(/SigBlk:\s+0{16}\nSigIgn:\s+.{8}[08]0{7}\n/);
});

test('it is in a session of its own, which no Ctrl-C reaches', async () => {
  const own = await sh('echo $$; ps -o sid= -p $$');
  const [pid, session] = own.stdout.trim().split(/\s+/);
  expect(session).toBe(pid);
});

test('a descriptor can be all three files', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'files-'));
  const file = join(directory, 'out');
  const descriptor = openSync(file, 'w+');
  await sh('echo one; echo two >&2', { files: descriptor });
  closeSync(descriptor);
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  rmSync(directory, { recursive: true });
});

test('200 at once, beside those of Node, all end and leave nothing', async () => {
  await runProgram('true', []);
  const before = descriptors();
  const others = Array.from({ length: 10 }, (_, index) =>
    once(spawn('sh', ['-c', `exit ${index}`], { stdio: 'ignore' }), 'exit'),
  );
  const outputs = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      index % 2 === 0
        ? runProgram('echo', [String(index)])
        : sh(`exit ${index % 50}`).then(
            () => ({ stdout: '0' }),
            (error: ProgramError) => ({ stdout: String(error.exitCode) }),
          ),
    ),
  );
  expect(outputs.map(({ stdout }) => Number(stdout))).toEqual(
    outputs.map((_, index) => (index % 2 === 0 ? index : index % 50)),
  );
  expect((await Promise.all(others)).map(([code]) => Number(code))).toEqual(
    others.map((_, index) => index),
  );
  expect(zombies()).toEqual([]);
  expect(process.listenerCount('SIGCHLD')).toBe(0);
  await expect.poll(descriptors).toBe(before);
});

test('a program that was started takes signals until it has ended, and no other gets them', async () => {
  const program: Program = await startProgram('sleep', ['1000']);
  program.signal('SIGTERM');
  expect(await program.ended).toEqual({ killedBy: 'SIGTERM' });
  program.signal('SIGKILL');
  const startTime = processStartTime(program.pid);
  expect(startTime === undefined || isAlive(program.pid, startTime)).toBe(true);
});

test('a process waits for the programs that it has started before it ends', () => {
  const module = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;
  const script = `import { runProgram } from ${JSON.stringify(module)};
    const { stdout } = await runProgram('sh', ['-c', 'sleep 0.2; echo done']);
    console.log(stdout.trim());`;
  const node = [process.execPath, ['--input-type=module', '-e', script]] as const;
  expect(execFileSync(...node, { encoding: 'utf8' })).toBe('done\n');
});
