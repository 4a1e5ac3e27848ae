import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RealInit } from './testing/real-init.ts';

const spec = { cwd: '/', env: {}, user: 'root' };

async function suspendFor(init: RealInit, pauseMs: number): Promise<void> {
  await init.channel.suspend(5_000);
  expect(init.channel.connected).toBe(false);
  await sleep(pauseMs);
  init.channel.resume();
  await init.channel.whenConnected(5_000);
}

test('commands go on over suspensions, and nothing is lost or doubled', async () => {
  await using init = await RealInit.connected();
  const numbers = await init.channel.start({ ...spec, args: ['seq', '1', '400000'] });
  const echo = await init.channel.start({ ...spec, args: ['cat'], stdin: true });
  const sent = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(20_000, 'x'));
  const received = Promise.all([
    numbers.stdout.toArray(),
    echo.stdout.toArray(),
    numbers.exit,
    echo.exit,
  ]);
  for (const [index, piece] of sent.entries()) {
    echo.stdin?.write(piece);
    if (index % 8 === 0) await suspendFor(init, index);
  }
  echo.stdin?.end();
  await suspendFor(init, 50);
  const [output, echoed] = await received;
  const lines = Buffer.concat(output).toString().trim().split('\n');
  expect(lines.length).toBe(400_000);
  expect(lines.every((line, index) => line === String(index + 1))).toBe(true);
  expect(Buffer.concat(echoed).toString()).toBe(sent.join(''));
  expect((await init.shell('echo new')).stdout).toBe('new\n');
}, 60_000);

test('what is started, killed and ended meanwhile is told afterwards', async () => {
  await using init = await RealInit.connected();
  const short = await init.channel.start({ ...spec, args: ['sh', '-c', 'sleep 0.1; exit 3'] });
  const long = await init.channel.start({ ...spec, args: ['sleep', '60'] });
  const late = await init.channel.start({ ...spec, args: ['sleep', '60'], timeoutMs: 100 });
  await init.channel.suspend(5_000);
  long.kill('SIGTERM');
  const starting = init.channel.start({ ...spec, args: ['true'] });
  await sleep(300);
  init.channel.resume();
  expect(await short.exit).toMatchObject({ exitCode: 3 });
  expect(await long.exit).toMatchObject({ signal: 'SIGTERM' });
  expect(await late.exit).toMatchObject({ timedOut: true });
  expect((await (await starting).exit).exitCode).toBe(0);
});

test('a daemon that comes without the commands lets them go', async () => {
  await using init = await RealInit.connected();
  const command = await init.channel.start({
    ...spec,
    args: ['sh', '-c', `cat >/dev/null; head -c 3000000 /dev/zero; touch ${init.directory}/done`],
    stdin: true,
  });
  await init.channel.suspend(5_000);
  await init.disconnect();
  await expect(command.exit).rejects.toMatchObject({ kind: 'disconnected' });
  await init.connect();
  const done = async () => (await init.shell(`test -e ${init.directory}/done`)).exitCode;
  await expect.poll(done, { timeout: 5_000 }).toBe(0);
});

test('a channel without an init can be suspended too', async () => {
  await using init = await RealInit.connected();
  init.process.kill('SIGKILL');
  await expect.poll(() => init.channel.connected).toBe(false);
  await init.channel.suspend(1_000);
  init.channel.resume();
  await expect(init.channel.whenConnected(50)).rejects.toMatchObject({ kind: 'disconnected' });
});

test('connections to ports end; those that are asked for meanwhile are made afterwards', async () => {
  await using init = await RealInit.connected();
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const before = await init.channel.connect(port);
  const broken = once(before, 'error');
  const suspended = init.channel.suspend(5_000);
  const early = init.channel.connect(port);
  await suspended;
  expect((await broken)[0]).toMatchObject({ kind: 'disconnected' });
  const later = init.channel.connect(port);
  before.write('lost');
  await sleep(50);
  init.channel.resume();
  for (const connection of [await early, await later]) {
    connection.end('back');
    expect(await text(connection)).toBe('back');
  }
  server.close();
});

test('terminals go on, with what was typed and their size', async () => {
  await using init = await RealInit.connected();
  const terminal = { columns: 80, rows: 24 };
  const script = 'echo up; read line; echo "got $line"; stty size';
  const command = await init.channel.start({ ...spec, args: ['sh', '-c', script], terminal });
  await once(command.stdout, 'data');
  await init.channel.suspend(5_000);
  command.stdin?.write('meanwhile\r');
  command.resize({ columns: 90, rows: 40 });
  init.channel.resume();
  expect(await text(command.stdout)).toContain('got meanwhile\r\n40 90\r\n');
  expect((await command.exit).exitCode).toBe(0);
});
