import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
