import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { NotFoundError } from '../../errors/api-errors.ts';
import { NetworkError, TimeoutError } from '../../errors/client-errors.ts';
import { FakeDaemon, type FakeHandler } from '../../testing/fake-daemon.ts';
import { Commands } from '../commands.ts';

const id = 'command';
const noRequests: FakeHandler = ({ json }) =>
  json(404, { error: 'No such sandbox.', code: 'sandbox_not_found' });

/** The far end of one command. */
class FakeCommand {
  readonly received: Record<string, unknown>[] = [];
  readonly socket: WebSocket;

  constructor(socket: WebSocket, onMessage: (command: FakeCommand, count: number) => void) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      const message: unknown = JSON.parse(data.toString());
      this.received.push({ ...Object(message) });
      onMessage(this, this.received.length);
    });
  }

  send(message: object): void {
    this.socket.send(JSON.stringify({ ...message, id }));
  }

  /** All input so far. */
  get input(): Buffer {
    const parts = this.received.map(({ stdin_base64: part }) =>
      typeof part === 'string' ? part : '',
    );
    return Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')));
  }
}

async function daemonWith(
  onMessage: (command: FakeCommand, count: number) => void,
  idleTimeoutMs?: number,
) {
  const made: FakeCommand[] = [];
  const daemon = await FakeDaemon.start(noRequests, idleTimeoutMs, (socket) => {
    made.push(new FakeCommand(socket, onMessage));
  });
  return { daemon, made, commands: new Commands(daemon.client.transport, 'box') };
}

const started = { started: { pid: 7, woke: 'disk' } };
const ended = { exit: 0, duration_ms: 2 };

describe('a live command', () => {
  test('is started in the words of the API, fed and waited for', async () => {
    const { daemon, made, commands } = await daemonWith((command, count) => {
      if (count === 1) command.send(started);
      if (command.received.at(-1)?.['eof'] !== true) return;
      command.send({ stream: 'stdout', data: command.input.toString() });
      command.send({ stream: 'stderr', data: '\uFFFD', data_base64: '/w==' });
      command.send({ unknown: 'is left out' });
      command.send({ exit: 143, signal: 'SIGTERM', timed_out: true, duration_ms: 5 });
    });
    await using _ = daemon;
    const command = await commands.open(['cat'], { cwd: '/tmp', user: 'root', timeoutMs: 1500 });
    expect(command.pid).toBe(7);
    await command.sendStdin('a');
    await command.sendStdin(new Uint8Array([0x62]));
    await command.kill('SIGINT');
    await command.closeStdin();
    expect(await command.wait()).toEqual({
      stdout: 'ab',
      stderr: '\uFFFD',
      exitCode: 143,
      exit_code: 143,
      signal: 'SIGTERM',
      timedOut: true,
      oomKilled: false,
      truncated: false,
      durationMs: 5,
      woke: 'disk',
    });
    expect(made[0]?.received[0]).toEqual({
      id,
      args: ['cat'],
      cwd: '/tmp',
      user: 'root',
      timeout_seconds: 1.5,
      stdin: true,
      verbose: true,
    });
    expect(made[0]?.received).toContainEqual({ id, signal: 'SIGINT' });
    // What has ended hears nothing, and nobody is told.
    await command.kill();
    await command.sendStdin('late');
    expect(command.exitCode).toBe(143);
  });

  test('run feeds it from a stream while it reads', async () => {
    const content = randomBytes(300_000);
    const { daemon, commands } = await daemonWith((command, count) => {
      if (count === 1) command.send(started);
      if (command.received.at(-1)?.['eof'] !== true) return;
      command.send({ stream: 'stdout', data: String(command.input.equals(content)) });
      command.send(ended);
    });
    await using _ = daemon;
    async function* chunks() {
      yield content.subarray(0, 1000);
      yield content.subarray(1000);
    }
    expect((await commands.run('x', { stdin: chunks() })).stdout).toBe('true');
  });

  test('no more input is on its way than the daemon takes, so that signals reach the command', async () => {
    const { daemon, made, commands } = await daemonWith((command, count) => {
      if (count === 1) command.send(started);
      if (command.received.at(-1)?.['signal'] === undefined) return;
      command.send({ taken: command.input.length });
      command.send({ error: 'It takes no more.', code: 'stdin_closed' });
      command.send({ stream: 'stdout', data: 'still here' });
      command.send(ended);
    });
    await using _ = daemon;
    const command = await commands.open('x');
    const fed = command.sendStdin(Buffer.alloc(5_000_000));
    await expect.poll(() => made[0]?.input.length).toBe(512 * 1024);
    await command.kill('SIGUSR1');
    await fed;
    expect(await command.wait()).toMatchObject({ stdout: 'still here', exitCode: 0 });
    expect(made[0]?.input.length).toBeLessThanOrEqual(1024 * 1024);
  });

  test('one that ends without reading its input has ended; one whose input fails is ended', async () => {
    const { daemon, made, commands } = await daemonWith((command, count) => {
      if (count === 1) command.send(started);
      if (command.received[0]?.['cmd'] === 'true') command.send(ended);
    });
    await using _ = daemon;
    async function* endless() {
      yield 'x';
      await new Promise(() => {});
    }
    expect((await commands.run('true', { stdin: endless() })).exitCode).toBe(0);
    async function* broken() {
      yield 'x';
      throw new Error('no more');
    }
    await expect(commands.run('cat', { stdin: broken() })).rejects.toThrow('no more');
    await expect.poll(() => made.every(({ socket }) => socket.readyState === 3)).toBe(true);
  });

  test('an error of the daemon is the error of its code', async () => {
    const { daemon, commands } = await daemonWith((command) =>
      command.send({ error: 'No such program.', code: 'command_not_started' }),
    );
    await using _ = daemon;
    await expect(commands.open(['none'])).rejects.toMatchObject({ code: 'command_not_started' });
  });

  test('a daemon that refuses the connection is heard', async () => {
    await using daemon = await FakeDaemon.start(noRequests);
    const commands = new Commands(daemon.client.transport, 'box');
    await expect(commands.open('x')).rejects.toThrow(NotFoundError);
  });

  test('a connection that breaks or falls silent, and an abort, end the waiting', async () => {
    const { daemon, made, commands } = await daemonWith((command, count) => {
      if (count === 1) command.send(started);
    }, 300);
    await using _ = daemon;
    const broken = await commands.open('x');
    made[0]?.socket.terminate();
    await expect(broken.wait()).rejects.toThrow(NetworkError);
    await expect((await commands.open('x')).wait()).rejects.toThrow(TimeoutError);
    const stop = new AbortController();
    const aborted = await commands.open('x', { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(aborted.wait()).rejects.toThrow('enough');
  });

  test('what nobody reads is held back, and comes whole later', async () => {
    const piece = 'x'.repeat(64 * 1024);
    const pieces = 400;
    const { daemon, made, commands } = await daemonWith((command, count) => {
      if (count !== 1) return;
      command.send(started);
      for (let sent = 0; sent < pieces; sent++) command.send({ stream: 'stdout', data: piece });
      command.send(ended);
    });
    await using _ = daemon;
    const command = await commands.open('x', { maxOutputBytes: 10 });
    // The sockets of the system hold a few MiB; the rest stays with the daemon.
    await expect.poll(() => made[0]?.socket.bufferedAmount ?? 0).toBeGreaterThan(1024 * 1024);
    let bytes = 0;
    for await (const event of command) if (event.type === 'stdout') bytes += event.bytes.byteLength;
    expect(bytes).toBe(pieces * piece.length);
    expect(await command.wait()).toMatchObject({ stdout: 'xxxxxxxxxx', truncated: true });
  });
});
