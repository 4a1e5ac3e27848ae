import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { PassThrough } from 'node:stream';
import { type Client, credentials, makeClientConstructor, status } from '@grpc/grpc-js';
import { type Namespace, type SandboxId, SandportFault } from '@sandport/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RuntimeEngine, RuntimeTarget } from '../runtime.ts';
import { ProcessService } from './process-service.ts';
import { processServiceDefinition } from './service-definition.ts';

/** What the sandbox was asked to do. */
interface Opened {
  readonly sandbox: string;
  readonly request: Record<string, unknown>;
  readonly killed: string[];
  readonly resized: unknown[];
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  exit(code: number): void;
}

let opened: Opened[];
let service: ProcessService;
let listener: Server;
let clients: Client[];
let executed: (output: (stream: 'stdout' | 'stderr', text: Buffer) => void) => Promise<number>;
let executeSignal: AbortSignal | undefined;

const target = (name: string): RuntimeTarget => ({
  principal: { keyId: 'k' },
  sandbox: {
    // What the directory of the controllers gives is of these types.
    namespace: 'default' as Namespace,
    name,
    sandboxId: name as SandboxId,
    uid: name,
    user: 'user',
    home: '/home/user',
  },
});

const commands = {
  open: async (
    _principal: unknown,
    sandbox: string,
    request: Record<string, unknown>,
    options: { signal: AbortSignal },
  ) => {
    if ((request['args'] as string[])[0] === 'nope')
      throw new SandportFault('command_not_started', 'there is no nope', {});
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const killed: string[] = [];
    const resized: unknown[] = [];
    let exit: (code: number) => void = () => undefined;
    const ended = new Promise<{ exit_code: number }>((resolve) => {
      exit = (code) => {
        stdout.end();
        stderr.end();
        resolve({ exit_code: code });
      };
    });
    options.signal.addEventListener('abort', () => killed.push('aborted'));
    opened.push({ sandbox, request, killed, resized, stdin, stdout, stderr, exit });
    return {
      pid: 40 + opened.length,
      stdin,
      stdout,
      stderr,
      exit: ended,
      kill: (signal: string) => void killed.push(signal),
      resize: (size: unknown) => void resized.push(size),
    };
  },
  stream: async (
    _principal: unknown,
    _sandbox: string,
    _request: unknown,
    onOutput: (output: { stream: 'stdout' | 'stderr'; bytes: Buffer }) => void,
    { signal }: { signal: AbortSignal },
  ) => {
    executeSignal = signal;
    return { exit_code: await executed((stream, bytes) => onOutput({ stream, bytes })) };
  },
};

beforeEach(async () => {
  opened = [];
  clients = [];
  // The service calls nothing else of the engine.
  service = new ProcessService({ engine: { commands } as unknown as RuntimeEngine });
  const names = ['one', 'two'];
  listener = createServer((socket) => service.accept(socket, target(names.shift() ?? 'more')));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  for (const client of clients) client.close();
  service[Symbol.dispose]();
  listener.close();
});

/** Connects; the first connection leads to sandbox `one`, the next to `two`. */
async function connected() {
  const Service = makeClientConstructor(processServiceDefinition(), 'ProcessService');
  const { port } = listener.address() as AddressInfo;
  const client = new Service(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  clients.push(client);
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + 5000, (error) => (error ? reject(error) : resolve())),
  );
  const call = (method: string, message: object, deadlineMs = 5000): Promise<object> =>
    new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + deadlineMs };
      client[method]?.(message, options, (error: Error | null, answer: object) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
  return { client, call };
}

const config = { command: ['cat'], envVars: { A: 'b' }, cwd: 'sub' };

describe('a process that was started', () => {
  async function started(message: object = { config }) {
    const { client, call } = await connected();
    const events: Record<string, unknown>[] = [];
    const stream = client['Start']?.(message);
    stream.on('data', (event: Record<string, unknown>) => events.push(event));
    const end = new Promise<Error | undefined>((resolve) => {
      stream.once('error', resolve).once('end', () => resolve(undefined));
    });
    return { client, call, stream, events, end };
  }

  test('streams what it writes, and takes input', async () => {
    const { call, events, end } = await started();
    await expect.poll(() => events.length).toBe(1);
    expect(events[0]).toMatchObject({ init: { processId: 41 } });
    const [process] = opened;
    expect(process?.request).toMatchObject({
      args: ['cat'],
      env: { A: 'b' },
      cwd: '/home/user/sub',
      stdin: true,
    });
    await call('WriteStdin', { processId: 41, input: Buffer.from('abc') });
    expect(process?.stdin.read().toString()).toBe('abc');
    process?.stdout.write('out');
    await expect.poll(() => events.length).toBe(2);
    process?.stderr.write('err');
    await expect.poll(() => events.length).toBe(3);
    await call('WriteStdin', { processId: 41, eof: {} });
    expect(process?.stdin.writableEnded).toBe(true);
    await expect(
      call('WriteStdin', { processId: 41, input: Buffer.from('x') }),
    ).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
    process?.exit(3);
    expect(await end).toBeUndefined();
    expect(events.slice(1)).toMatchObject([
      { stdout: Buffer.from('out') },
      { stderr: Buffer.from('err') },
      { exit: { exitCode: 3 } },
    ]);
    await expect(call('SendSignal', { processId: 41, signal: 9 })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  test('gets signals and sizes', async () => {
    const { call, events } = await started({ config, pty: { cols: 100, rows: 40 } });
    await expect.poll(() => events.length).toBe(1);
    const [process] = opened;
    expect(process?.request).toMatchObject({ terminal: { columns: 100, rows: 40 } });
    await call('ResizeTTY', { processId: 41, cols: 50, rows: 20 });
    expect(process?.resized).toEqual([{ columns: 50, rows: 20 }]);
    for (const signal of [2, 9, 15]) await call('SendSignal', { processId: 41, signal });
    expect(process?.killed).toEqual(['SIGINT', 'SIGKILL', 'SIGTERM']);
    for (const signal of [0, 1])
      await expect(call('SendSignal', { processId: 41, signal })).rejects.toMatchObject({
        code: status.INVALID_ARGUMENT,
      });
    await call('WriteStdin', { processId: 41, eof: {} });
    expect(process?.stdin.read()).toEqual(Buffer.from([4]));
  });

  test('has no size without a terminal', async () => {
    const { call, events } = await started();
    await expect.poll(() => events.length).toBe(1);
    await expect(call('ResizeTTY', { processId: 41, cols: 1, rows: 1 })).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
  });

  test('belongs to its sandbox', async () => {
    const { events } = await started();
    await expect.poll(() => events.length).toBe(1);
    const other = await connected();
    for (const [method, message] of [
      ['SendSignal', { processId: 41, signal: 9 }],
      ['WriteStdin', { processId: 41, input: Buffer.from('x') }],
      ['ResizeTTY', { processId: 41, cols: 1, rows: 1 }],
    ] as const)
      await expect(other.call(method, message)).rejects.toMatchObject({ code: status.NOT_FOUND });
    expect(opened[0]?.killed).toEqual([]);
  });

  test('is ended when its client goes', async () => {
    const { stream, events, end } = await started();
    await expect.poll(() => events.length).toBe(1);
    stream.cancel();
    await end;
    await expect.poll(() => opened[0]?.killed).toContain('aborted');
  });

  test('is ended when the connection breaks', async () => {
    const { client, events } = await started();
    await expect.poll(() => events.length).toBe(1);
    client.close();
    service[Symbol.dispose]();
    await expect.poll(() => opened[0]?.killed).toContain('aborted');
  });

  test('waits for a client that does not read', async () => {
    const { stream, events } = await started();
    await expect.poll(() => events.length).toBe(1);
    stream.pause();
    const [process] = opened;
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    while (written < 1000) {
      written += 1;
      if (process?.stdout.write(chunk) === true) continue;
      const drained = await Promise.race([
        process && once(process.stdout, 'drain').then(() => true),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300)),
      ]);
      if (drained !== true) break;
    }
    expect(written).toBeLessThan(400);
  });

  test.each([
    [{}, 'empty'],
    [{ config: { command: [] } }, 'empty'],
    [{ config: { command: ['a\0b'] } }, 'NUL'],
    [{ config: { command: ['a'], envVars: { 'A=B': 'c' } } }, 'A=B'],
    [{ config: { command: ['a'], envVars: { '': 'c' } } }, 'variable'],
    [{ config: { command: ['a'], cwd: '/a\0' } }, 'NUL'],
    [{ config: { command: ['nope'] } }, 'there is no nope'],
    [{ config, pty: { cols: 70_000, rows: 1 } }, 'at most'],
  ])('is refused: %j', async (message, why) => {
    const { end } = await started(message);
    expect(await end).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(why),
    });
  });
});

describe('a process that is executed', () => {
  test('answers with all that it wrote', async () => {
    executed = async (write) => {
      write('stdout', Buffer.from([0, 255]));
      write('stderr', Buffer.from('e'));
      return 3;
    };
    const { call } = await connected();
    expect(await call('Execute', { config })).toEqual({
      exitCode: 3,
      stdout: Buffer.from([0, 255]),
      stderr: Buffer.from('e'),
    });
  });

  test('is ended at the deadline of the client', async () => {
    executed = () => new Promise(() => undefined);
    const { call } = await connected();
    await expect(call('Execute', { config }, 100)).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    await expect.poll(() => executeSignal?.aborted).toBe(true);
  });

  test('may not write more than a client takes', async () => {
    executed = async (write) => {
      for (let index = 0; index < 5; index += 1) write('stdout', Buffer.alloc(1024 * 1024));
      return 0;
    };
    const { call } = await connected();
    await expect(call('Execute', { config })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    expect(executeSignal?.aborted).toBe(true);
  });
});

test('what is no HTTP/2 ends that connection only', async () => {
  const { call } = await connected();
  const { connect } = await import('node:net');
  const { port } = listener.address() as AddressInfo;
  for (const bytes of [
    'GET / HTTP/1.1\r\n\r\n',
    '\0'.repeat(1000),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\0',
  ]) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(bytes, 'latin1');
    socket.resume();
    await once(socket, 'close');
  }
  executed = async () => 0;
  expect(await call('Execute', { config })).toMatchObject({ exitCode: 0 });
});
