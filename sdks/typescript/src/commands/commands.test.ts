import { describe, expect, test } from 'vitest';
import { BadRequestError } from '../errors/api-errors.ts';
import { NetworkError } from '../errors/client-errors.ts';
import { FakeDaemon, type FakeExchange, reset } from '../testing/fake-daemon.ts';
import { Commands } from './commands.ts';

const commandsOf = (daemon: FakeDaemon) => new Commands(daemon.client.transport, 'box');

const exit = { exit_code: 3, duration_ms: 1.5 };

/** Answers with server-sent events. */
const sends =
  (...events: [string, unknown][]) =>
  (exchange: FakeExchange) => {
    exchange.response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const [event, data] of events) {
      exchange.response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }
    exchange.response.end();
  };

describe('run', () => {
  test('sends the options in the words of the API and gives the result', async () => {
    let body: unknown;
    await using daemon = await FakeDaemon.start(async (exchange) => {
      body = JSON.parse((await exchange.body()).toString());
      exchange.json(200, {
        stdout: 'out',
        stderr: 'err',
        exit_code: 137,
        signal: 'SIGKILL',
        timed_out: true,
        duration_ms: 5,
      });
    });
    const result = await commandsOf(daemon).run(['sleep', '9'], {
      cwd: '/tmp',
      env: { A: 'b' },
      user: 'root',
      timeoutMs: 1500,
      stdin: new Uint8Array([255]),
    });
    expect(body).toEqual({
      args: ['sleep', '9'],
      cwd: '/tmp',
      env: { A: 'b' },
      user: 'root',
      timeout_seconds: 1.5,
      stdin_base64: '/w==',
    });
    expect(result).toEqual({
      stdout: 'out',
      stderr: 'err',
      exitCode: 137,
      exit_code: 137,
      signal: 'SIGKILL',
      timedOut: true,
      oomKilled: false,
      truncated: false,
      durationMs: 5,
    });
  });

  test('waits longer than the idle timeout', async () => {
    await using daemon = await FakeDaemon.start(async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      exchange.json(200, { stdout: '', stderr: '', ...exit });
    }, 100);
    expect((await commandsOf(daemon).run('sleep 1')).exitCode).toBe(3);
  });

  test('is never sent twice', async () => {
    await using daemon = await FakeDaemon.start(({ request }) => {
      reset(request.socket);
    });
    await expect(commandsOf(daemon).run('true')).rejects.toThrow(NetworkError);
    expect(daemon.requests).toEqual(['POST /v1/sandboxes/box/exec']);
  });

  test('with callbacks gives the output as it comes and collects it', async () => {
    await using daemon = await FakeDaemon.start(
      sends(
        ['stdout', { chunk: 'a' }],
        ['stderr', { chunk: 'e' }],
        ['stdout', { chunk: 'b' }],
        ['exit', exit],
      ),
    );
    const seen: string[] = [];
    const result = await commandsOf(daemon).run('x', {
      onStdout: (text) => void seen.push(`out ${text}`),
      onStderr: (text) => void seen.push(`err ${text}`),
    });
    expect(seen).toEqual(['out a', 'err e', 'out b']);
    expect(result).toMatchObject({ stdout: 'ab', stderr: 'e', exitCode: 3, truncated: false });
  });

  test('with callbacks keeps no more than the limit', async () => {
    await using daemon = await FakeDaemon.start(
      sends(['stdout', { chunk: 'aé' }], ['stdout', { chunk: 'éé' }], ['exit', exit]),
    );
    const result = await commandsOf(daemon).run('x', { maxOutputBytes: 6, onStdout: () => {} });
    expect(result).toMatchObject({ stdout: 'aéé', truncated: true });
  });
});

describe('stream', () => {
  test('gives exact bytes, and text with characters put together', async () => {
    const euro = Buffer.from('€');
    const part = (bytes: Uint8Array) => ({
      chunk: '\uFFFD',
      chunk_base64: Buffer.from(bytes).toString('base64'),
    });
    await using daemon = await FakeDaemon.start(
      sends(
        ['stdout', part(euro.subarray(0, 1))],
        ['stdout', part(euro.subarray(1))],
        ['stdout', part(new Uint8Array([0xff]))],
        ['exit', exit],
      ),
    );
    const bytes: number[] = [];
    let text = '';
    for await (const event of commandsOf(daemon).stream('x')) {
      if (event.type === 'exit') continue;
      bytes.push(...event.bytes);
      text += event.text;
    }
    expect(bytes).toEqual([...euro, 0xff]);
    expect(text).toBe('€\uFFFD');
  });

  test('an error event is the error of its code', async () => {
    await using daemon = await FakeDaemon.start(
      sends(['error', { error: 'No such program.', code: 'command_not_started' }]),
    );
    const run = commandsOf(daemon).run(['none'], { onStdout: () => {} });
    await expect(run).rejects.toThrow(BadRequestError);
  });

  test('a stream that ends without an exit, or breaks, is a network error', async () => {
    await using ends = await FakeDaemon.start(sends(['stdout', { chunk: 'x' }]));
    await expect(commandsOf(ends).run('x', { onStdout: () => {} })).rejects.toThrow(NetworkError);
    await using breaks = await FakeDaemon.start(({ request, response }) => {
      response.writeHead(200).write('event: stdout\ndata: {"chunk":"x"}\n\n', () => {
        reset(request.socket);
      });
    });
    await expect(commandsOf(breaks).run('x', { onStdout: () => {} })).rejects.toThrow(NetworkError);
  });

  test('leaving the loop and aborting close the connection', async () => {
    let closed = 0;
    await using daemon = await FakeDaemon.start(({ request, response }) => {
      request.socket.once('close', () => (closed += 1));
      response.writeHead(200).write('event: stdout\ndata: {"chunk":"x"}\n\n');
    });
    for await (const _ of commandsOf(daemon).stream('sleep 9')) break;
    await expect.poll(() => closed).toBe(1);
    const stop = new AbortController();
    const run = commandsOf(daemon).run('sleep 9', {
      signal: stop.signal,
      onStdout: () => stop.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
    await expect.poll(() => closed).toBe(2);
  });

  test('a connection is used again after a command', async () => {
    await using daemon = await FakeDaemon.start(sends(['exit', exit]));
    for (let round = 0; round < 3; round++)
      await commandsOf(daemon).run('x', { onStdout: () => {} });
    expect(await daemon.connections()).toBe(1);
  });
});
