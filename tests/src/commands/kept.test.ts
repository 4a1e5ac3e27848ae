import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  codeOf,
  faultOf,
  json,
  onEachIsolation,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';
import { KeptApi } from './kept-api.ts';

const used = useDaemon();
const unknown = '0'.repeat(32);

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const kept = () => new KeptApi(used.api, box.id);

  test('a command is started, listed, waited for, read and forgotten', async () => {
    const started = await kept().start('echo out; echo err >&2; read x; exit 3', {
      stdin: true,
      cwd: '/tmp',
      env: { A: '1' },
      user: 'root',
    });
    expect(started).toMatchObject({ status: 'running', cwd: '/tmp', user: 'root', stdin: true });
    expect(started.pid).toBeGreaterThan(1);
    expect((await kept().list('?status=running')).map(({ id }) => id)).toContain(started.id);
    await kept().send('PUT', started.id, '/stdin?eof=1', '');
    const ended = await kept().end(started.id);
    expect(ended).toMatchObject({
      status: 'ended',
      exit_code: 3,
      stdout_bytes: 4,
      stderr_bytes: 4,
    });
    expect(ended.pid).toBeUndefined();
    expect(Date.parse(ended.ended_at ?? '')).toBeGreaterThanOrEqual(Date.parse(ended.started_at));
    expect(String(await kept().output(started.id))).toBe('out\n');
    expect(String(await kept().output(started.id, 'stderr'))).toBe('err\n');
    expect((await kept().list('?status=ended')).map(({ id }) => id)).toContain(started.id);
    expect((await kept().send('DELETE', started.id)).status).toBe(204);
    faultOf(await kept().send('GET', started.id), 'command_not_found');
    faultOf(await kept().send('DELETE', started.id), 'command_not_found');
    const types = (await used.api.events(box.id)).map(({ type, payload }) =>
      payload['command_id'] === started.id ? type : '',
    );
    expect(types.filter(Boolean)).toEqual(['command_started', 'command_ended']);
  });

  test('`exec` in the background answers with the command, which has its input', async () => {
    const body = { cmd: 'cat', stdin: 'given', background: true };
    const answer = await used.api.sendJson('POST', `/v1/sandboxes/${box.id}/exec`, body);
    const { id } = json(answer, 201) as { id: string };
    expect(await kept().end(id)).toMatchObject({ exit_code: 0 });
    expect(String(await kept().output(id))).toBe('given');
  });

  test('input is streamed with backpressure, in parts, and ended', async () => {
    const { id } = await kept().start('sleep 0.3; sha256sum', { stdin: true });
    const parts = [randomBytes(5_000_000), randomBytes(1), randomBytes(3_000_000)];
    for (const part of parts)
      expect(json(await kept().send('PUT', id, '/stdin', part), 200)).toEqual({
        bytes: part.length,
      });
    expect(json(await kept().send('PUT', id, '/stdin?eof=1', ''), 200)).toEqual({ bytes: 0 });
    await kept().end(id);
    const digest = createHash('sha256').update(Buffer.concat(parts)).digest('hex');
    expect(String(await kept().output(id))).toBe(`${digest}  -\n`);
    faultOf(await kept().send('PUT', id, '/stdin', 'x'), 'command_ended');
  });

  test('bytes of any value come exactly, by pages and as events', async () => {
    const { id } = await kept().start('head -c 3000000 /dev/urandom | tee /tmp/bytes');
    await kept().end(id);
    const bytes = await used.api.read(box.id, '/tmp/bytes');
    expect((await kept().output(id, 'stdout', '&limit=700001')).equals(bytes)).toBe(true);
    using events = await kept().follow(id);
    await events.ended;
    expect(Buffer.concat(events.told.map(bytesOf)).equals(bytes)).toBe(true);
    expect(events.told.at(-1)).toMatchObject({ event: 'exit', data: { exit_code: 0 } });
  });

  test('who comes back with the last id, or offsets, gets the rest', async () => {
    const { id } = await kept().start('echo one; read x; echo two; echo three >&2', {
      stdin: true,
    });
    using first = await kept().follow(id);
    const seen = await waitFor(() => first.told[0]);
    expect(seen).toMatchObject({ event: 'stdout', data: { offset: 0, chunk: 'one\n' } });
    first.close();
    await kept().send('PUT', id, '/stdin?eof=1', 'go\n');
    await kept().end(id);
    // The order of one stream beside the other is nobody's to promise; the end comes last.
    const inOrder = ({ told }: typeof first) =>
      told.toSorted((a, b) => Number(b.event === 'stdout') - Number(a.event === 'stdout'));
    const rest = [
      { event: 'stdout', data: { offset: 4, chunk: 'two\n' } },
      { event: 'stderr', data: { offset: 0, chunk: 'three\n' } },
    ];
    using second = await kept().follow(id, '', { 'Last-Event-ID': seen.id ?? '' });
    await second.ended;
    expect(inOrder(second)).toMatchObject([...rest, { event: 'exit' }]);
    using third = await kept().follow(id, '&stdout_since=4&stderr_since=5');
    await third.ended;
    const chunks = inOrder(third).map(({ data }) => data['chunk']);
    expect(chunks).toEqual(['two\n', '\n', undefined]);
  });

  test('older output goes beyond the limit, and a gap tells', async () => {
    const { id } = await kept().start('head -c 2000000 /dev/zero | tr "\\0" x; echo end', {
      output_limit_bytes: 65_536,
    });
    const { stdout_start: start, stdout_bytes: bytes } = await kept().end(id);
    expect(bytes).toBe(2_000_004);
    expect(start).toBeGreaterThan(0);
    using events = await kept().follow(id);
    await events.ended;
    expect(events.told[0]).toMatchObject({ event: 'gap', data: { from: 0, to: start } });
    const first = await kept().send('GET', id, '/output?limit=1');
    expect(first.headers['x-sandport-offset']).toBe(String(start));
    expect(String(await kept().output(id))).toMatch(/^x+end\n$/);
  });

  test('signals, timeouts and removals end the whole group', async () => {
    const trap = `trap 'echo got; exit 9' USR1; while :; do sleep 0.05; done`;
    const { id } = await kept().start(`echo ready; ${trap}`);
    await waitFor(async () => (await kept().get(id)).stdout_bytes > 0);
    json204(await kept().sendJson(id, '/signal', { signal: 'SIGUSR1' }));
    expect(await kept().end(id)).toMatchObject({ exit_code: 9 });
    faultOf(await kept().sendJson(id, '/signal', {}), 'command_ended');
    const stubborn = `trap '' TERM; (trap '' TERM; sleep 1000) & echo $!; wait; sleep 1000`;
    const timed = await kept().start(stubborn, { timeout_seconds: 0.3 });
    const removed = await kept().start(stubborn);
    await waitFor(async () => (await kept().get(removed.id)).stdout_bytes > 0);
    const pid = String(await kept().output(removed.id)).trim();
    json204(await kept().send('DELETE', removed.id));
    expect(await kept().end(timed.id)).toMatchObject({ timed_out: true, signal: 'SIGKILL' });
    expect((await used.api.exec(box.id, `kill -0 ${pid}`)).exit_code).not.toBe(0);
  });

  test('one that takes more memory than there is says so', async () => {
    const { id } = await used.api.create({ isolation, memory_mb: 256 });
    const small = new KeptApi(used.api, id);
    const greedy = await small.start(['python3', '-c', 'bytearray(900 << 20)']);
    expect(await small.end(greedy.id)).toMatchObject({ signal: 'SIGKILL', oom_killed: true });
    await used.api.kill(id);
  });

  test('a terminal has the size that it is given, and takes keys', async () => {
    const tty = { rows: 33, cols: 101 };
    const { id } = await kept().start('stty size; read x; stty size; echo "$x $TERM"', { tty });
    await waitFor(async () => (await kept().get(id)).stdout_bytes > 0);
    json204(await kept().sendJson(id, '/resize', { rows: 1, cols: 1000 }));
    await kept().send('PUT', id, '/stdin', 'typed\r');
    await kept().end(id);
    const shown = String(await kept().output(id));
    expect(shown).toMatch(/33 101[^]*1 1000[^]*typed xterm-256color/);
    expect((await kept().get(id)).stderr_bytes).toBe(0);
  });

  test('what makes no sense is refused by its name', async () => {
    const { id } = await kept().start('sleep 1000');
    const size = { rows: 24, cols: 80 };
    faultOf(await kept().sendJson(id, '/resize', size), 'not_a_terminal');
    for (const side of [0, -1, 1_000_000, 1.5, null])
      faultOf(await kept().sendJson(id, '/resize', { ...size, rows: side }), 'invalid_request');
    for (const signal of ['SIGFOO', 9, 'SIGKILL ', ''])
      faultOf(await kept().sendJson(id, '/signal', { signal }), 'invalid_request');
    faultOf(await kept().send('PUT', id, '/stdin', 'x'), 'stdin_closed');
    for (const query of ['since=-1', 'since=x', 'limit=99999999999', 'stream=stdin'])
      faultOf(await kept().send('GET', id, `/output?${query}`), 'invalid_request');
    for (const query of ['61', '-1', 'x', '1e3'])
      faultOf(await kept().send('GET', id, `?wait_seconds=${query}`), 'invalid_request');
    const after = await used.api.send('GET', `${kept().path}/${id}/output?follow=1`, {
      headers: { 'Last-Event-ID': '1' },
    });
    faultOf(after, 'invalid_request');
    const far = await kept().send('GET', id, '/output?since=9007199254740991');
    expect(far).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    faultOf(await used.api.send('GET', `${kept().path}?status=odd`), 'invalid_request');
    // The init of the sandbox is no command: nothing names it.
    for (const strange of [unknown, '1', 'init', '..%2f..', '%00', 'x'.repeat(5_000)]) {
      faultOf(await kept().send('GET', strange), 'command_not_found');
      faultOf(await kept().sendJson(strange, '/signal', {}), 'command_not_found');
      faultOf(await kept().send('GET', strange, '/output?follow=1'), 'command_not_found');
    }
    const bad = [{}, { cmd: 'a', args: ['b'] }, { cmd: '' }, { cmd: 'x', output_limit_bytes: 1 }];
    for (const body of [...bad, { cmd: 'x', tty: { rows: 0, cols: 0 } }, { cmd: 'x', stdin: 'y' }])
      faultOf(await used.api.sendJson('POST', kept().path, body), 'invalid_request');
    const missing = await used.api.sendJson('POST', kept().path, { args: ['/no/such'] });
    faultOf(missing, 'command_not_started');
    json204(await kept().send('DELETE', id));
  });

  test('another tenant sees no command, whatever it knows', async () => {
    const { id } = await kept().start('sleep 1000', { stdin: true });
    const { api: stranger } = await used.api.newKey({ namespaces: ['elsewhere'] });
    const other = new KeptApi(stranger, box.id);
    for (const [method, route] of [
      ['GET', ''],
      ['GET', '/output'],
      ['GET', '/output?follow=1'],
      ['PUT', '/stdin'],
      ['DELETE', ''],
    ] as const)
      faultOf(await other.send(method, id, route), 'sandbox_not_found');
    expect(codeOf(await stranger.send('GET', other.path))).toBe('sandbox_not_found');
    expect(await kept().get(id)).toMatchObject({ status: 'running' });
    json204(await kept().send('DELETE', id));
  });
});

const json204 = ({ status, body }: { status: number; body: Buffer }): void => {
  if (status !== 204) throw new Error(`expected 204, got ${status}: ${body}`);
};

function bytesOf({ data }: { data: Readonly<Record<string, unknown>> }): Buffer {
  const { chunk = '', chunk_base64: base64 } = data;
  return base64 === undefined ? Buffer.from(String(chunk)) : Buffer.from(String(base64), 'base64');
}
