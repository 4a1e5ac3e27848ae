import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { onEachIsolation, useDaemon, waitFor } from '../harness/index.ts';
import { runSandport, type SandportOptions } from './run-sandport.ts';

const used = useDaemon();
const unique = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;
const sandport = async (args: readonly string[], options: SandportOptions = {}) => {
  const { stdout, ...rest } = await runSandport(used, args, options);
  return { stdout: stdout.toString(), ...rest };
};

onEachIsolation(used, (isolation) => {
  test('create, ls, exec and kill', async () => {
    const name = unique('cli');
    const which = ['base', '--name', name, '--isolation', isolation, '--metadata', `t=${name}`];
    const limits = ['--env', 'A=b c', '--memory', '256m', '--volume', 'cli-data', '--ttl', '10m'];
    const created = await sandport(['create', ...which, ...limits]);
    expect(created).toEqual({ stdout: `${name}\n`, stderr: '', exitCode: 0 });

    const list = await sandport(['ls', '--metadata', `t=${name}`]);
    const [head, row] = list.stdout.trimEnd().split('\n');
    expect(head).toMatch(/^NAME +STATUS +TEMPLATE +ISOLATION +AGE$/);
    expect(row).toMatch(new RegExp(`^${name} +running +base +${isolation} +\\d+s$`));
    const json: unknown = JSON.parse(
      (await sandport(['ls', '--json', '--metadata', `t=${name}`])).stdout,
    );
    expect(json).toMatchObject([{ name, isolation, memory_mb: 256, ttl_seconds: 600 }]);

    const ran = await sandport(['exec', name, 'echo "$A" | tr b B; echo err >&2; exit 7']);
    expect(ran).toEqual({ stdout: 'B c\n', stderr: 'err\n', exitCode: 7 });

    expect(await sandport(['kill', name])).toMatchObject({ stdout: `${name}\n`, exitCode: 0 });
    const again = await sandport(['kill', name]);
    expect(again).toMatchObject({ stdout: '', exitCode: 3 });
    expect(again.stderr).toContain(name);
    expect(again.stderr).not.toContain('    at ');
    expect(again.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });

  describe('exec', () => {
    const box = unique('exec');
    const exec = (args: readonly string[], options: SandportOptions = {}) =>
      sandport(['exec', ...args], options);

    test('options, several words, input and bytes', async () => {
      await sandport(['create', '--name', box, '--isolation', isolation]);
      expect(await exec([box, 'ls', '-d', '/workspace'])).toMatchObject({ stdout: '/workspace\n' });
      expect(await exec([box, '--', 'printf', '%s|', '-a', '$HOME'])).toMatchObject({
        stdout: '-a|$HOME|',
      });
      const options = ['--cwd', '/tmp', '--env', 'X=1', '--user', 'root'];
      expect(await exec([...options, box, 'pwd; id -un; echo $X'])).toMatchObject({
        stdout: '/tmp\nroot\n1\n',
      });
      expect(await exec(['-i', box, 'tr a-z A-Z'], { stdin: 'piped' })).toMatchObject({
        stdout: 'PIPED',
      });
      const { stdout } = await runSandport(used, ['exec', box, "printf '\\377\\000\\200'"]);
      expect([...stdout]).toEqual([0xff, 0, 0x80]);
    });

    test('a timeout, JSON, and a program that does not exist', async () => {
      const timed = await exec(['--timeout', '1s', box, 'sleep 30']);
      expect(timed.exitCode).toBeGreaterThan(128);
      expect(timed.stderr).toContain('ran out of time');
      const json = await exec(['--json', box, 'echo out; exit 2']);
      expect(json.exitCode).toBe(2);
      expect(JSON.parse(json.stdout)).toMatchObject({ stdout: 'out\n', stderr: '', exit_code: 2 });
      const none = await exec([box, '--', 'no-such-program', 'x']);
      expect(none).toMatchObject({ stdout: '', exitCode: 125 });
      expect(none.stderr).toContain('no-such-program');
    });

    test('Ctrl-C ends a command that waits for more input', async () => {
      // More than a pipe holds: it has been taken when the command reads.
      const stdin = { endless: Buffer.alloc(4 * 1024 * 1024) };
      const ran = await exec(['-i', box, 'cat > /dev/null'], {
        stdin,
        interrupt: () => Promise.resolve(),
      });
      expect(ran).toEqual({ stdout: '', stderr: '', exitCode: 130 });
    });

    test('Ctrl-C ends the command in the sandbox', async () => {
      const count = "cat /proc/[0-9]*/cmdline | grep -ac 'sleep.32[1]'";
      const seen = async () => ((await exec([box, count])).stdout === '1\n' ? true : undefined);
      const ran = await exec([box, 'echo begun; exec sleep 321'], {
        interrupt: async (output) => {
          await waitFor(() => output() === 'begun\n', { what: 'the output' });
          await waitFor(seen, { what: 'the command' });
        },
      });
      expect(ran).toEqual({ stdout: 'begun\n', stderr: '', exitCode: 130 });
      await expect.poll(seen, { timeout: 5000 }).toBe(undefined);
      await sandport(['kill', box]);
    });
  });
});

describe('errors', () => {
  test.each([
    [['exec', 'no-such-box', 'true'], 125, 'no-such-box'],
    [['pause', 'no-such-box'], 3, 'no-such-box'],
    [['create', 'no-such-template'], 1, 'no-such-template'],
    [['create', '--name', 'Not_A_Label'], 1, 'name'],
    [['create', '--frob'], 2, '--frob'],
    [['ls', '--status', 'odd'], 2, 'odd'],
    [['--url', 'http://127.0.0.1:1', 'ls'], 4, 'sandport serve'],
    [['--api-key', 'wrong', 'ls'], 1, 'not valid'],
    [['template', 'build', 'no-such-template'], 3, 'no-such-template'],
    [['volume', 'rm', 'no-such-volume'], 3, 'no-such-volume'],
    [['key', 'rm', 'no-such-key'], 3, 'no-such-key'],
  ])('%j ends with %i and names %s', async (args, exitCode, named) => {
    const ran = await sandport(args);
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain(named);
    expect(ran.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });

  test('without any configuration it says how to start a daemon', async () => {
    const ran = await runSandport(undefined, ['ls']);
    expect(ran.exitCode).toBe(4);
    expect(ran.stderr).toContain('sandport serve');
  });
});

test('keys, volumes and templates', async () => {
  const created = await sandport(['key', 'create', '--label', 'ci', '--namespace', 'ci']);
  expect(created.exitCode).toBe(0);
  const apiKey = created.stdout.trim();
  const box = (await sandport(['create', '--namespace', 'ci', '--api-key', apiKey])).stdout.trim();
  expect(box).toMatch(/^[0-9a-f-]{36}$/);
  expect((await sandport(['kill', box, '--api-key', apiKey])).exitCode).toBe(0);
  expect((await sandport(['ls', '--api-key', apiKey])).stderr).toContain('No sandboxes');
  const keys: unknown = JSON.parse((await sandport(['key', 'ls', '--json'])).stdout);
  const key = Array.isArray(keys) ? keys.find((each) => each.label === 'ci') : undefined;
  expect((await sandport(['key', 'rm', key.id])).exitCode).toBe(0);
  expect((await sandport(['ls', '--api-key', apiKey])).exitCode).toBe(1);

  expect((await sandport(['volume', 'create', 'shelf'])).stdout).toBe('shelf\n');
  expect((await sandport(['volume', 'ls'])).stdout).toMatch(/^shelf +default +- +- +\d+s$/m);
  expect((await sandport(['volume', 'rm', 'shelf'])).stdout).toBe('shelf\n');

  expect((await sandport(['template', 'ls'])).stdout).toMatch(/^base +ready /m);
});

test('every command has help with its options', async () => {
  const commands = ['serve', 'doctor', 'create', 'ls', 'exec', 'cp', 'kill', 'template', 'volume'];
  const ofFiles = ['sync', 'diff', 'fs'];
  const groups = [
    ['key', 'create'],
    ['fs', 'ls'],
    ['fs', 'link', 'create'],
  ];
  for (const command of [[], ...[...commands, ...ofFiles].map((name) => [name]), ...groups]) {
    const help = await runSandport(undefined, [...command, '--help']);
    expect(help.exitCode).toBe(0);
    expect(help.stdout.toString()).toMatch(/^Usage: sandport/);
  }
});
