import { BadRequestError, CommandError } from 'sandport';
import { expect, test } from 'vitest';
import { onEachIsolation, useDaemon } from '../harness/index.ts';
import { failure, useSdkSandbox } from './sdk-sandbox.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const made = useSdkSandbox(used, isolation, { env: { FROM_SANDBOX: 'yes' } });
  const commands = () => made.sandbox.commands;
  /** Number of lines that match among the command lines of all processes: 0 or 1. */
  const running = async (pattern: string) =>
    (await commands().run(`cat /proc/[0-9]*/cmdline | grep -ac '${pattern}'`)).stdout.trim();

  test('a line runs under the shell, an array without one', async () => {
    const line = await commands().run(
      'printf "b\\na\\n" | sort > /tmp/o && cat /tmp/o; echo $((1+1)) >&2',
    );
    expect(line).toMatchObject({ stdout: 'a\nb\n', stderr: '2\n', exitCode: 0, timedOut: false });
    const words = await commands().run(['printf', '%s|', 'a b', '$HOME', '*']);
    expect(words.stdout).toBe('a b|$HOME|*|');
  });

  test('takes cwd, env, user and stdin', async () => {
    const result = await commands().run('pwd; id -un; echo "$A$FROM_SANDBOX"; cat', {
      cwd: '/tmp',
      user: 'root',
      env: { A: '€ ' },
      stdin: 'input',
    });
    expect(result.stdout).toBe('/tmp\nroot\n€ yes\ninput');
    const bytes = await commands().run('od -An -tx1', { stdin: new Uint8Array([0, 255, 10]) });
    expect(bytes.stdout.trim()).toBe('00 ff 0a');
  });

  test('exit codes and signals are given, not thrown', async () => {
    expect(await commands().run('exit 7')).toMatchObject({ exitCode: 7, exit_code: 7 });
    expect(await commands().run('kill -TERM $$')).toMatchObject({
      exitCode: 143,
      signal: 'SIGTERM',
    });
    expect(await commands().run('no-such-program')).toMatchObject({ exitCode: 127 });
    expect(await failure(commands().run(['no-such-program']))).toBeInstanceOf(BadRequestError);
    expect(await failure(commands().run('true', { cwd: '/none' }))).toMatchObject({
      code: 'command_not_started',
    });
  });

  test('a timeout ends the whole process group', async () => {
    expect(await running('[s]h')).toBe('1');
    const begun = performance.now();
    const result = await commands().run('sleep 987 & sleep 987; echo late', { timeoutMs: 500 });
    expect(result).toMatchObject({ timedOut: true, stdout: '' });
    expect(performance.now() - begun).toBeLessThan(8000);
    await expect.poll(() => running('sleep.98[7]')).toBe('0');
  });

  test('output that is not UTF-8 does not lose the rest', async () => {
    const result = await commands().run("printf 'a\\377b€'");
    expect(result.stdout).toBe('a\uFFFDb€');
    const bytes: number[] = [];
    for await (const event of commands().stream("printf 'a\\377b'"))
      if (event.type === 'stdout') bytes.push(...event.bytes);
    expect(bytes).toEqual([0x61, 0xff, 0x62]);
  });

  test('output is bounded and says so', async () => {
    const limited = await commands().run('seq 1 1000', { maxOutputBytes: 10 });
    expect(limited).toMatchObject({ truncated: true, stdout: '1\n2\n3\n4\n5\n' });
    const much = await commands().run('head -c 20000000 /dev/zero | tr "\\0" x');
    expect(much).toMatchObject({ truncated: true, exitCode: 0 });
    expect(much.stdout.length).toBe(10 * 1024 * 1024);
  });

  test('callbacks get the output while the command runs', async () => {
    const seen: string[] = [];
    let answered: Promise<unknown> | undefined;
    // It goes on only when its first line has been seen.
    const line = 'echo one; until [ -e /tmp/seen ]; do sleep 0.05; done; echo two; echo err >&2';
    const result = await commands().run(line, {
      timeoutMs: 30_000,
      onStdout: (text) => {
        seen.push(text);
        answered ??= made.sandbox.files.write('/tmp/seen', '');
      },
      onStderr: (text) => void seen.push(`stderr ${text}`),
    });
    await answered;
    expect(result).toMatchObject({ stdout: 'one\ntwo\n', stderr: 'err\n', exitCode: 0 });
    expect(seen[0]).toBe('one\n');
    expect(seen.join('')).toContain('stderr err');
  });

  test('an abort ends the command', async () => {
    const stop = new AbortController();
    const aborted = commands().run('echo go; exec sleep 654', {
      signal: stop.signal,
      onStdout: () => stop.abort(new Error('enough')),
    });
    expect(await failure(aborted)).toMatchObject({ message: 'enough' });
    await expect.poll(() => running('sleep.65[4]'), { timeout: 5000 }).toBe('0');
  });

  test('exec can check the exit code; execStream gives it', async () => {
    const { sandbox } = made;
    expect(await sandbox.exec('echo x', { check: true, timeoutSeconds: 5 })).toMatchObject({
      stdout: 'x\n',
    });
    const error = await failure(sandbox.exec('echo why >&2; exit 3', { check: true }));
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ exitCode: 3, message: expect.stringContaining('why') });
    let output = '';
    const exitCode = await sandbox.execStream('echo a; exit 4', {
      onStdout: (text) => void (output += text),
    });
    expect([exitCode, output]).toEqual([4, 'a\n']);
  });

  test('many commands at once keep their output apart', async () => {
    const numbers = Array.from({ length: 30 }, (_, index) => index);
    const results = await Promise.all(
      numbers.map((number) =>
        commands().run(`sleep 0.0${number % 10}; echo ${number}; exit ${number}`),
      ),
    );
    expect(results.map(({ stdout, exitCode }) => [stdout, exitCode])).toEqual(
      numbers.map((number) => [`${number}\n`, number]),
    );
  });
});
