import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  faultOf,
  onEachIsolation,
  openSocket,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();

interface Event {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

const parseEvents = (text: string): Event[] =>
  text
    .split('\n\n')
    .filter((block) => block.startsWith('event: '))
    .map((block) => {
      const [, event = '', data = '{}'] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? [];
      return { event, data: JSON.parse(data) };
    });

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const exec = (cmd: string, fields = {}) => used.api.exec(box.id, cmd, fields);
  const args = (...list: string[]) => used.api.execFields(box.id, { args: list });
  const stream = (fields: object, id = box.id) =>
    used.api.sendJson('POST', `/v1/sandboxes/${id}/exec/stream`, fields);

  test('a string runs under the shell: pipes, redirections, globs, conditions', async () => {
    const result = await exec(
      'cd /tmp && printf "b\\na\\n" > l1.txt; cat l*.txt | sort > s.txt 2>&1; cat s.txt; false || echo or; echo err >&2; exit 3',
    );
    expect(result).toMatchObject({ stdout: 'a\nb\nor\n', stderr: 'err\n', exit_code: 3 });
    expect(result.duration_ms).toBeGreaterThan(0);
    expect(result).not.toHaveProperty('signal');
    expect(result).not.toHaveProperty('timed_out');
    expect(result).not.toHaveProperty('truncated');
  });

  test('a list of arguments goes to the program as it is', async () => {
    const list = ['$HOME', '*', 'a b', '', '"\'\\', '日本\n', '-n'];
    const result = await args(
      'python3',
      '-c',
      'import sys, json; print(json.dumps(sys.argv[1:]))',
      ...list,
    );
    expect(JSON.parse(result.stdout)).toEqual(list);
  });

  test('stdin comes as text, as bytes, large, or not at all', async () => {
    expect((await exec('cat', { stdin: 'grüße\n' })).stdout).toBe('grüße\n');
    const bytes = Buffer.from([0, 255, 10, 128]);
    const hex = await exec('od -An -tx1', { stdin_base64: bytes.toString('base64') });
    expect(hex.stdout.trim()).toBe('00 ff 0a 80');
    expect((await exec('cat; echo end')).stdout).toBe('end\n');
    const large = 'x'.repeat(3_000_000);
    expect((await exec('wc -c', { stdin: large })).stdout.trim()).toBe('3000000');
    // Not reading it is no error.
    expect(await exec('echo done', { stdin: large })).toMatchObject({
      stdout: 'done\n',
      exit_code: 0,
    });
  });

  test('a timeout ends the whole process group', async () => {
    const startedAt = performance.now();
    const result = await exec(
      '(sleep 300 & echo $! > /tmp/child; wait) & echo begun; trap "" TERM; sleep 300; sleep 300',
      { timeout_seconds: 0.5 },
    );
    expect(result).toMatchObject({ stdout: 'begun\n', timed_out: true });
    expect(result.exit_code).not.toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    await waitFor(
      async () => (await exec('kill -0 $(cat /tmp/child) 2>/dev/null')).exit_code !== 0,
    );
  });

  test('output is bounded, and says that it was cut', async () => {
    const cut = await exec(
      'head -c 100000 /dev/zero | tr "\\0" x; head -c 10 /dev/zero | tr "\\0" y >&2',
      {
        max_output_bytes: 1000,
      },
    );
    expect(cut).toMatchObject({
      stdout: 'x'.repeat(1000),
      stderr: 'y'.repeat(10),
      truncated: true,
      exit_code: 0,
    });
    const exact = await exec('printf 12345', { max_output_bytes: 5 });
    expect(exact.stdout).toBe('12345');
    expect(exact).not.toHaveProperty('truncated');
    expect(await exec('echo x', { max_output_bytes: 0 })).toMatchObject({
      stdout: '',
      truncated: true,
    });
    const most = 10 * 1024 * 1024;
    const long = await exec(`yes | head -c ${most + 1}`);
    expect(long.stdout.length).toBe(most);
    expect(long).toMatchObject({ truncated: true, exit_code: 0 });
    const endless = await exec('yes', { timeout_seconds: 1 });
    expect(endless.stdout.length).toBeLessThanOrEqual(most);
    expect(endless).toMatchObject({ timed_out: true });
  });

  test('bytes that are not UTF-8 lose nothing around them', async () => {
    const result = await exec("printf 'before \\377\\376 after\\n\\303'");
    expect(result.stdout).toBe('before \uFFFD\uFFFD after\n\uFFFD');
  });

  test('a signal is named', async () => {
    expect(await args('sh', '-c', 'kill -KILL $$')).toMatchObject({
      exit_code: 137,
      signal: 'SIGKILL',
    });
    expect(await args('sh', '-c', 'kill -TERM $$')).toMatchObject({
      exit_code: 143,
      signal: 'SIGTERM',
    });
    expect(await args('sh', '-c', 'kill -SEGV $$')).toMatchObject({
      exit_code: 139,
      signal: 'SIGSEGV',
    });
  });

  test('a child in the background does not delay the answer, and lives on', async () => {
    const startedAt = performance.now();
    const result = await exec('sleep 300 & echo $!');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect((await exec(`kill ${result.stdout.trim()}`)).exit_code).toBe(0);
  });

  test('what cannot be started is 400 and says which: program, directory, user', async () => {
    const run = (fields: object) =>
      used.api.sendJson('POST', `/v1/sandboxes/${box.id}/exec`, fields);
    for (const [fields, named] of [
      [{ args: ['no-such-program'] }, /no-such-program.*ENOENT/],
      [{ args: ['/etc/passwd'] }, /\/etc\/passwd.*EACCES/],
      [{ args: ['/tmp'] }, /\/tmp.*EACCES/],
      [{ cmd: 'true', cwd: '/no/such/directory' }, /\/no\/such\/directory.*ENOENT/],
      [{ cmd: 'true', cwd: '/etc/hostname' }, /\/etc\/hostname.*ENOTDIR/],
      [{ cmd: 'true', user: 'nobody-here' }, /nobody-here/],
    ] as const) {
      expect(faultOf(await run(fields), 'command_not_started').error).toMatch(named);
    }
    // A shell says it itself.
    expect(await exec('no-such-program')).toMatchObject({ exit_code: 127 });
  });

  test('arguments that are too long are refused, or run, but never hang', async () => {
    const answer = await used.api.sendJson('POST', `/v1/sandboxes/${box.id}/exec`, {
      args: ['true', ...Array.from({ length: 20 }, () => 'x'.repeat(200_000))],
    });
    if (answer.status !== 200) expect(answer.status).toBe(400);
    expect(answer.ms).toBeLessThan(10_000);
  });

  test('a client that goes away takes its command with it', async () => {
    const { host } = new URL(used.daemon.url);
    const body = JSON.stringify({ cmd: 'echo $$ > /tmp/abandoned; sleep 300' });
    const socket = await openSocket(used.daemon.url);
    socket.write(
      `POST /v1/sandboxes/${box.id}/exec HTTP/1.1\r\nHost: ${host}\r\nX-API-Key: ${used.daemon.apiKey}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await waitFor(async () => (await exec('cat /tmp/abandoned')).stdout !== '');
    expect((await exec('kill -0 $(cat /tmp/abandoned)')).exit_code).toBe(0);
    socket.destroy();
    await waitFor(
      async () => (await exec('kill -0 $(cat /tmp/abandoned) 2>/dev/null')).exit_code !== 0,
    );
  });

  test('a stream gives output as it comes, then the end', async () => {
    const answer = await stream({
      cmd: 'echo one; echo two >&2; sleep 0.2; printf "thr\\303"; printf "\\251e"; exit 4',
    });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    const events = parseEvents(answer.body.toString());
    const text = (name: string) =>
      events
        .filter(({ event }) => event === name)
        .map(({ data }) => data['chunk'])
        .join('');
    expect(text('stdout')).toBe('one\nthrée');
    expect(text('stderr')).toBe('two\n');
    expect(events.at(-1)).toMatchObject({ event: 'exit', data: { exit_code: 4 } });
    expect(events.filter(({ event }) => event === 'exit')).toHaveLength(1);
  });

  test('a stream carries bytes that are not text beside their text', async () => {
    const bytes = randomBytes(5_000);
    await used.api.write(box.id, '/tmp/bytes', bytes);
    const events = parseEvents((await stream({ cmd: 'cat /tmp/bytes' })).body.toString());
    const parts = events
      .filter(({ event }) => event === 'stdout')
      .map(({ data }) =>
        typeof data['chunk_base64'] === 'string'
          ? Buffer.from(data['chunk_base64'], 'base64')
          : Buffer.from(String(data['chunk'])),
      );
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  });

  test('a stream tells failures as an event, or as an answer when it has not begun', async () => {
    const events = parseEvents((await stream({ args: ['no-such-program'] })).body.toString());
    expect(events).toMatchObject([{ event: 'error', data: { code: 'command_not_started' } }]);
    faultOf(await stream({ cmd: 'true' }, 'nobody'), 'sandbox_not_found');
    const late = parseEvents((await stream({ cmd: 'yes', timeout_seconds: 0.3 })).body.toString());
    expect(late.at(-1)).toMatchObject({ event: 'exit', data: { timed_out: true } });
  });

  test('the loopback works inside, and nothing else does', async () => {
    const serve = `
import socket, threading
s = socket.create_server(('127.0.0.1', 0))
threading.Thread(target=lambda: s.accept()[0].send(b'over loopback')).start()
print(socket.create_connection(s.getsockname()).recv(99).decode())
try: socket.create_connection(('1.1.1.1', 80), 2); print('out')
except OSError: print('no way out')
`;
    expect((await args('python3', '-c', serve)).stdout).toBe('over loopback\nno way out\n');
  });
});
