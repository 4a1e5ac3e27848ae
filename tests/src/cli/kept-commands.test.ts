import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onEachIsolation, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { InTerminal } from './in-terminal.ts';
import { runSandport, type SandportOptions } from './run-sandport.ts';

const used = useDaemon();
const sandport = async (args: readonly string[], options: SandportOptions = {}) => {
  const { stdout, ...rest } = await runSandport(used, args, options);
  return { stdout: stdout.toString(), ...rest };
};
const size = { rows: 33, cols: 99 };

let box = '';
beforeAll(async () => {
  box = (await sandport(['create'])).stdout.trim();
});
afterAll(() => sandport(['kill', box]));

test('input is streamed, and its end is told', async () => {
  const content = randomBytes(5_000_000);
  const [streamed, unread, json] = await Promise.all([
    sandport(['exec', '-i', box, 'sha256sum; exit 4'], { stdin: content }),
    // It does not wait for input that the command does not read.
    sandport(['exec', '-i', box, 'exit 3'], { stdin: { endless: 'x' } }),
    sandport(['exec', '-i', '--json', box, 'wc -c'], { stdin: 'abc' }),
  ]);
  expect(streamed.stdout).toContain(createHash('sha256').update(content).digest('hex'));
  expect(streamed.exitCode).toBe(4);
  expect(unread).toMatchObject({ exitCode: 3 });
  expect(json.exitCode).toBe(0);
  expect(json.stdout).toContain('"stdout": "3\\n"');
});

test('Ctrl-C reaches the command, which may live on; our own failures end with 125', async () => {
  const line = 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.05; done';
  const [caught, ...failed] = await Promise.all([
    sandport(['exec', box, line], {
      interrupt: (output) => waitFor(() => output() === 'ready\n', { what: 'the output' }),
    }),
    sandport(['exec', box, '--', 'no-such-program', 'x']),
    sandport(['shell', 'no-such-box']),
    sandport(['attach', box, 'f'.repeat(32)]),
  ]);
  expect(caught).toEqual({ stdout: 'ready\ncaught\n', stderr: '', exitCode: 9 });
  for (const { stdout, exitCode } of failed) expect([stdout, exitCode]).toEqual(['', 125]);
  expect(failed[0]?.stderr).toContain('no-such-program');
});

describe('a detached command', () => {
  let id = '';
  beforeAll(async () => {
    const line = 'echo one; echo err >&2; read x; echo "got $x"; exit 7';
    const detached = await sandport(['exec', '-d', '-i', box, line]);
    expect(detached).toMatchObject({ stderr: '', exitCode: 0 });
    id = detached.stdout.trim();
  });

  test('is listed and read', async () => {
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const logs = () => sandport(['logs', box, id.slice(0, 8)]);
    await expect
      .poll(logs, { timeout: 30_000 })
      .toEqual({ stdout: 'one\n', stderr: 'err\n', exitCode: 0 });
    const [shown, part] = await Promise.all([
      sandport(['ps', box]),
      sandport(['logs', '--since', '1', '--stream', 'stdout', box, id]),
    ]);
    expect(shown.stdout).toMatch(/^ID +STATUS +AGE +OUTPUT +USER +COMMAND\n/);
    expect(shown.stdout).toMatch(new RegExp(`\n${id.slice(0, 12)} +running +\\d+[sm] .*echo one`));
    expect(part.stdout).toBe('ne\n');
  });

  test('is attached to, and read after its end', async () => {
    expect(await sandport(['attach', '-i', box, id], { stdin: 'it\n' })).toEqual({
      stdout: 'one\ngot it\n',
      stderr: 'err\n',
      exitCode: 7,
    });
    const [pieces, ended] = await Promise.all([
      sandport(['logs', '-f', '--json', '--since', '4', box, id]),
      sandport(['ps', '--status', 'ended', box]),
    ]);
    expect(pieces.stdout.split('\n', 1).map((piece) => JSON.parse(piece))).toEqual([
      { stream: 'stdout', offset: 4, chunk: 'got it\n' },
    ]);
    expect(ended.stdout).toContain('exit 7');
  });

  test('is sent signals, ended and forgotten', async () => {
    const sleeper = (await sandport(['exec', '-d', box, '--', 'sleep', '1000'])).stdout.trim();
    const killed = await sandport(['kill-command', '--signal', 'term', box, sleeper]);
    expect(killed).toEqual({ stdout: `${sleeper}\n`, stderr: '', exitCode: 0 });
    const all = async () => (await sandport(['ps', '--json', box])).stdout;
    await expect.poll(all, { timeout: 30_000 }).toContain('SIGTERM');
    expect(await sandport(['stop-command', box, id, sleeper.slice(0, 16)])).toMatchObject({
      stdout: `${id}\n${sleeper}\n`,
      exitCode: 0,
    });
    const codes = await Promise.all(
      [
        ['ps', box],
        ['logs', box, id],
        ['logs', box, id.slice(0, 20)],
        ['logs', box, 'nonsense'],
        ['kill-command', '--signal', 'NO', box, id],
      ].map(async (args) => (await sandport(args)).exitCode),
    );
    expect(codes).toEqual([0, 3, 3, 2, 2]);
  });
});

onEachIsolation(used, (isolation) => {
  const made = useSandbox(used, isolation);

  test('a shell in a terminal: size, keys, Ctrl-C, leaving and coming back', async () => {
    await using shell = new InTerminal(used, ['shell', made.id], size);
    const [, device = ''] = await shell.shows(/(\/dev\/pts\/\d+)\s/);
    shell.type('echo $((40+2)); stty size\r');
    await shell.shows(/42\s+33 99/);
    await shell.resize(device, 44, 111);
    await shell.shows(/[$#]/);
    const resized = async () => {
      shell.type('stty size\r');
      return (await shell.shows(/[\r\n](\d+ \d+)\r/))[1] === '44 111';
    };
    await waitFor(resized, { what: 'the new size', timeoutMs: 20_000 });
    shell.type('sleep 1000\r');
    await shell.shows(/sleep 1000\r\n/);
    await waitFor(async () => (await processes()).includes('sleep 1000'), { what: 'the sleep' });
    shell.type('\u0003');
    shell.type('echo "code $?"\r');
    await shell.shows(/code 130/);
    shell.type('\r~.');
    const [, id = ''] = await shell.shows(/sandport attach \S+ ([0-9a-f]{32})/);
    expect(await shell.ended()).toBe(0);

    await using again = new InTerminal(used, ['attach', made.id, id.slice(0, 12)], size);
    await again.shows(/code 130/);
    again.type('exit 5\r');
    expect(await again.ended()).toBe(5);
    expect((await sandport(['stop-command', made.id, id])).exitCode).toBe(0);
  });

  test('a command in a terminal has its exit code, and is forgotten', async () => {
    const args = ['exec', '-t', '--env', 'A=b c', made.id, 'tty; echo "<$A>"; read x; exit $x'];
    await using command = new InTerminal(used, args, size);
    await command.shows(/\/dev\/pts\/\d+[^]*<b c>/);
    command.type('11\r');
    expect(await command.ended()).toBe(11);
    expect((await sandport(['ps', made.id])).stdout).toBe('');
  });

  const processes = async () =>
    (await sandport(['exec', made.id, 'cat /proc/[0-9]*/cmdline | tr "\\0\\n" "  "'])).stdout;
});
