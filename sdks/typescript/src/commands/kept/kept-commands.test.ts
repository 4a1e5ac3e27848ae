import { describe, expect, test } from 'vitest';
import { CommandError, CommandLostError } from '../../errors/client-errors.ts';
import { FakeDaemon, type FakeExchange, reset } from '../../testing/fake-daemon.ts';
import { Commands } from '../commands.ts';
import { Pty } from '../terminal/pty.ts';

const id = '0123456789abcdef0123456789abcdef';
const info = {
  id,
  pid: 9,
  cmd: 'make',
  cwd: '/workspace',
  user: 'user',
  tty: false,
  stdin: false,
  status: 'running',
  started_at: '2026-01-01T00:00:00.000Z',
  stdout_start: 0,
  stdout_bytes: 0,
  stderr_start: 0,
  stderr_bytes: 0,
};
const end = { ...info, status: 'ended', exit_code: 2, ended_at: '2026-01-01T00:00:01.500Z' };

type Events = readonly (readonly [string, object])[];

const sendEvents = ({ response }: FakeExchange, events: Events) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const [event, data] of events)
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
};

/** Answers each follow of the output with the next of these, and then breaks off. */
function daemonWith(follows: Events[], others: (exchange: FakeExchange) => unknown = () => {}) {
  return FakeDaemon.start(async (exchange) => {
    const { request, response, url, json } = exchange;
    if (url.searchParams.has('follow')) {
      sendEvents(exchange, follows.shift() ?? []);
      setTimeout(() => reset(request.socket), 20);
    } else if ((await others(exchange)) === true) return;
    else if (request.method === 'GET') json(200, info);
    else if (request.method === 'POST' && url.pathname.endsWith('/commands')) json(201, info);
    else response.writeHead(204).end();
  });
}

const commandsOf = (daemon: FakeDaemon) => new Commands(daemon.client.transport, 'box');
const path = `/v1/sandboxes/box/commands/${id}`;
const follow = (stdout: number, stderr: number) =>
  `GET ${path}/output?follow=1&stdout_since=${stdout}&stderr_since=${stderr}`;

describe('a command in the background', () => {
  test('is followed on where a connection broke, and nothing comes twice', async () => {
    let body: unknown;
    await using daemon = await daemonWith(
      [
        [
          ['stdout', { offset: 0, chunk: 'one ' }],
          ['stderr', { offset: 0, chunk: 'err' }],
        ],
        [],
        [
          ['stdout', { offset: 2, chunk: 'e two' }],
          ['exit', end],
        ],
      ],
      async (exchange) => {
        if (exchange.request.method === 'POST')
          body = JSON.parse((await exchange.body()).toString());
      },
    );
    const seen: string[] = [];
    const handle = await commandsOf(daemon).run('make', {
      background: true,
      env: { A: 'b' },
      timeoutMs: 2000,
      outputLimitBytes: 65_536,
      onStdout: (text) => void seen.push(text),
    });
    expect([handle.id, handle.pid, handle.command]).toEqual([id, 9, 'make']);
    expect(await handle.wait()).toMatchObject({
      stdout: 'one two',
      stderr: 'err',
      exitCode: 2,
      durationMs: 1500,
      truncated: false,
    });
    expect(seen).toEqual(['one ', 'two']);
    expect(handle.offsets).toEqual({ stdout: 7, stderr: 3 });
    expect(handle.exitCode).toBe(2);
    expect(body).toEqual({
      cmd: 'make',
      env: { A: 'b' },
      timeout_seconds: 2,
      output_limit_bytes: 65_536,
    });
    expect(daemon.requests.slice(1)).toEqual([follow(0, 0), follow(4, 3), follow(4, 3)]);
  });

  test('tells what was not kept, begins where it is told to, and checks the exit code', async () => {
    await using daemon = await daemonWith([
      [
        ['gap', { stream: 'stdout', from: 5, to: 9 }],
        ['stdout', { offset: 9, chunk: 'x' }],
        ['exit', end],
      ],
    ]);
    const handle = await commandsOf(daemon).connect(id, { since: { stdout: 5 }, check: true });
    const events = [];
    for await (const event of handle) events.push(event);
    expect(events).toMatchObject([
      { type: 'gap', stream: 'stdout', from: 5, to: 9 },
      { type: 'stdout', text: 'x' },
      { type: 'exit', exitCode: 2 },
    ]);
    await expect(handle.wait()).rejects.toThrow(CommandError);
    expect(daemon.requests[1]).toBe(follow(5, 0));
  });

  test('one that was lost is an error; one that is gone, too', async () => {
    await using lost = await daemonWith([[['exit', { ...info, status: 'lost' }]]]);
    const handle = await commandsOf(lost).get(id);
    await expect(handle.wait()).rejects.toThrow(CommandLostError);
    await using gone = await FakeDaemon.start(({ json }) =>
      json(404, { error: 'No such command.', code: 'command_not_found' }),
    );
    await expect(commandsOf(gone).get(id)).rejects.toMatchObject({ code: 'command_not_found' });
  });

  test('a disconnected one is let alone, and can be followed again', async () => {
    await using daemon = await FakeDaemon.start((exchange) => {
      if (!exchange.url.searchParams.has('follow')) return exchange.json(200, info);
      if (exchange.url.searchParams.get('stdout_since') === '1') {
        sendEvents(exchange, [['exit', end]]);
        exchange.response.end();
      } else sendEvents(exchange, [['stdout', { offset: 0, chunk: 'x' }]]);
    });
    const handle = await commandsOf(daemon).get(id);
    const waiting = handle.wait();
    await expect.poll(() => handle.stdout).toBe('x');
    await handle.disconnect();
    await expect(waiting).rejects.toThrow('not followed any more');
    expect(await handle.wait()).toMatchObject({ stdout: 'x', exitCode: 2 });
    expect(daemon.requests.filter((each) => !each.startsWith('GET'))).toEqual([]);
  });

  test('run with reconnect forgets the command at its end, and ends it at an abort', async () => {
    await using daemon = await daemonWith([
      [['stdout', { offset: 0, chunk: 'a' }]],
      [['exit', { ...end, exit_code: 0 }]],
      [['stdout', { offset: 0, chunk: 'b' }]],
    ]);
    const run = commandsOf(daemon).run('make', { reconnect: true });
    expect(await run).toMatchObject({ stdout: 'a', exitCode: 0 });
    expect(daemon.requests.at(-1)).toBe(`DELETE ${path}`);
    const stop = new AbortController();
    const aborted = commandsOf(daemon).run('make', {
      reconnect: true,
      signal: stop.signal,
      onStdout: () => stop.abort(new Error('enough')),
    });
    await expect(aborted).rejects.toThrow('enough');
    expect(daemon.requests.at(-1)).toBe(`DELETE ${path}`);
  });

  test('signals and sizes are sent; one that has ended hears no signal', async () => {
    const bodies: unknown[] = [];
    await using daemon = await daemonWith([], async ({ request, body, json, url }) => {
      if (request.method !== 'POST') return false;
      bodies.push([url.pathname.slice(path.length), JSON.parse((await body()).toString())]);
      if (!url.pathname.endsWith('/signal')) return false;
      json(409, { error: 'It has ended.', code: 'command_ended' });
      return true;
    });
    const handle = await commandsOf(daemon).get(id);
    await handle.kill();
    await handle.resize({ rows: 2, cols: 3 });
    expect(bodies).toEqual([
      ['/signal', { signal: 'SIGKILL' }],
      ['/resize', { rows: 2, cols: 3 }],
    ]);
  });
});

test('keys come in order, and those pressed meanwhile go together', async () => {
  const puts: string[] = [];
  await using daemon = await FakeDaemon.start(async (exchange) => {
    const { request, url, response } = exchange;
    if (url.searchParams.has('follow')) sendEvents(exchange, []);
    else if (request.method === 'GET') exchange.json(200, { ...info, tty: true });
    else {
      puts.push(`${(await exchange.body()).toString()}${url.search}`);
      response.writeHead(204).end();
    }
  });
  await using pty = await new Pty(daemon.client.transport, 'box').connect(id, {});
  await Promise.all([...'abc'].map((key) => pty.write(key)));
  await Promise.all([...'de'].map((key) => pty.write(key)));
  expect(puts.join('|')).toMatch(/^abc\|de$/);
});
