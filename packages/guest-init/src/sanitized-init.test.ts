import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { InitChannel } from './init-channel.ts';
import { KeptProcesses } from './kept/kept-processes.ts';
import { MemoryOwner } from './testing/memory-owner.ts';
import { RealInit } from './testing/real-init.ts';

/**
 * The init with checks of every access to memory. Whoever works with many commands and connections
 * at once fills its buffers to the last byte, which no other test does on purpose.
 */
const native = fileURLToPath(new URL('../native/', import.meta.url));
let folder = '';
let binary: string | undefined;
let why = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sanitized-init-'));
  const sources = (await readdir(native)).filter((name) => name.endsWith('.c'));
  const target = path.join(folder, 'init');
  const flags = ['-std=c11', '-g', '-O1', '-fsanitize=address,undefined'];
  const compiled = spawnSync(
    'cc',
    [...flags, '-fno-sanitize-recover=all', '-o', target, ...sources],
    {
      cwd: native,
      encoding: 'utf8',
    },
  );
  if (compiled.status === 0) binary = target;
  else why = `the compiler has no sanitizers here: ${compiled.stderr.slice(0, 200)}`;
  process.env['ASAN_OPTIONS'] = `detect_leaks=0:log_path=${path.join(folder, 'report')}`;
});
afterAll(async () => {
  delete process.env['ASAN_OPTIONS'];
  await rm(folder, { recursive: true });
});

/** What the sanitizers found. */
async function reports(): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('report'));
  return (await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')))).join();
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP server');
  return address.port;
}

test('many connections and commands that fill every buffer touch no other memory', async (context) => {
  if (binary === undefined) context.skip(why);
  await using init = await RealInit.connected(binary);
  await using server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  const port = await listening(server);
  const echo = async (at: number): Promise<void> => {
    const connection = await init.channel.connect(port);
    const sent = Buffer.from(`${at} `.repeat(40_000));
    const came: Buffer[] = [];
    connection.on('data', (chunk: Buffer) => came.push(chunk));
    const ended = once(connection, 'end');
    connection.end(sent);
    await ended;
    expect(Buffer.concat(came).equals(sent)).toBe(true);
  };
  const print = async (at: number): Promise<void> => {
    const { stdout, stderr } = await init.shell(
      `head -c 300000 /dev/zero; head -c 100000 /dev/zero >&2; exit ${at % 7}`,
    );
    expect([stdout.length, stderr.length]).toEqual([300_000, 100_000]);
  };
  for (let round = 0; round < 3; round++)
    await Promise.all([
      ...Array.from({ length: 50 }, (_, at) => echo(at)),
      ...Array.from({ length: 8 }, (_, at) => print(at)),
    ]).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await reports()}`, { cause: error });
    });
  expect(await reports()).toBe('');
}, 120_000);

test('kept commands over many connections touch no other memory', async (context) => {
  if (binary === undefined) context.skip(why);
  await using init = await RealInit.spawn(binary);
  const { socketPath, token } = init;
  const kept = new KeptProcesses();
  const open = async () => {
    const channel = await InitChannel.listen({ socketPath, token, kept });
    await channel.whenConnected(20_000);
    return channel;
  };
  let channel = await open();
  const owners: MemoryOwner[] = [];
  const count = 40;
  const common = { cwd: '/', env: {}, user: 'root', stdin: true };
  const script = 'seq 1 60000; head -c 150000 /dev/zero >&2; cat; sleep 60 & exit 3';
  for (let at = 0; at < count; at++) {
    const owner = new MemoryOwner(String(at).padStart(32, '0'));
    owners.push(owner);
    const terminal = at % 8 === 7 ? { columns: 80, rows: 24 } : undefined;
    const args = terminal ? ['seq', '1', '60000'] : ['sh', '-c', script];
    owner.process = await channel.keep({ ...common, args, terminal }, owner);
    // A terminal would show what is typed.
    if (!terminal) owner.process.stdin?.end('x'.repeat(100_000));
  }
  for (let round = 0; round < 8; round++) {
    await channel[Symbol.asyncDispose]();
    channel = await open();
  }
  await vi.waitFor(() => expect(owners.every(({ exit }) => exit !== undefined)).toBe(true), {
    timeout: 60_000,
  });
  const lines = Array.from({ length: 60_000 }, (_, at) => at + 1);
  const plain = `${lines.join('\n')}\n`;
  for (const [at, owner] of owners.entries())
    if (at % 8 === 7) expect(owner.text() === `${lines.join('\r\n')}\r\n`).toBe(true);
    else {
      expect(owner.text() === `${plain}${'x'.repeat(100_000)}`).toBe(true);
      expect([owner.received[1], owner.exit?.exitCode]).toEqual([150_000, 3]);
    }
  for (const owner of owners) owner.process?.forget();
  await channel.ping(20_000);
  await channel[Symbol.asyncDispose]();
  expect(await reports()).toBe('');
}, 120_000);
