import * as fc from 'fast-check';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { encodeFrame } from './frames.ts';
import { RealInit } from './testing/real-init.ts';
import { PROTOCOL_VERSION, ToInit } from './wire.ts';

test('the init waits for a daemon that comes late', async () => {
  await using init = await RealInit.spawn();
  await sleep(300);
  await init.connect();
  expect(await init.channel.ping(1_000)).toBeLessThan(1_000);
});

test('commands outlive the connection; a new one works at once', async () => {
  await using init = await RealInit.connected();
  const effect = path.join(init.directory, 'effect');
  const spec = { cwd: '/', env: {}, user: 'root', stdin: true };
  const script = `head -c 3000000 /dev/zero; cat >/dev/null; sleep 0.3; touch ${effect}`;
  const left = await init.channel.start({ ...spec, args: ['sh', '-c', script] });
  const lost = await init.channel.start({ ...spec, args: ['sleep', '60'], timeoutMs: 300 });
  await init.disconnect();
  await expect(left.exit).rejects.toMatchObject({ kind: 'disconnected' });
  await expect(lost.exit).rejects.toMatchObject({ kind: 'disconnected' });
  await init.connect();
  expect((await init.shell('echo again')).stdout).toBe('again\n');
  await vi.waitFor(() => access(effect), 5_000);
  const exitCode = async () => (await init.shell(`kill -0 ${lost.pid}`)).exitCode;
  await expect.poll(exitCode).not.toBe(0);
});

test('terminals hang up, and connections to ports break, when the daemon goes away', async () => {
  await using init = await RealInit.connected();
  const ended = path.join(init.directory, 'ended');
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const address = server.address();
  const port = await init.channel.connect(typeof address === 'object' ? (address?.port ?? 0) : 0);
  const [peer] = await accepted;
  const terminal = { columns: 80, rows: 24 };
  const script = `trap 'touch ${ended}; exit' HUP; echo up; while :; do sleep 0.05; done`;
  const spec = { args: ['sh', '-c', script], cwd: '/', env: {}, user: 'root', terminal };
  const command = await init.channel.start(spec);
  await once(command.stdout, 'data');
  await init.disconnect();
  await expect(command.exit).rejects.toMatchObject({ kind: 'disconnected' });
  expect(port.destroyed).toBe(true);
  await vi.waitFor(() => access(ended), 5_000);
  await vi.waitFor(() => expect(peer.destroyed).toBe(true), 5_000);
  await init.connect();
  expect((await init.shell('echo again')).stdout).toBe('again\n');
  server.close();
});

test('frames that make no sense end the connection, never the init', async () => {
  await using init = await RealInit.spawn();
  const peers: Socket[] = [];
  const server = createServer((socket) => peers.push(socket.on('error', () => {}).resume()));
  server.listen(init.socketPath);
  await once(server, 'listening');
  const nextPeer = () =>
    vi.waitFor(() => peers.shift() ?? Promise.reject(new Error('none')), 5_000);
  const type = fc.oneof(
    fc.constantFrom(...Object.values(ToInit)),
    fc.integer({ max: 255, min: 0 }),
  );
  const frame = fc
    .tuple(type, fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 40 }))
    .map(([t, id, payload]) => encodeFrame(t, id, payload));
  const bytes = fc.oneof(frame, fc.uint8Array({ maxLength: 40 }).map(Buffer.from));
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 10 }), fc.boolean(), async (chunks, polite) => {
      const peer = await nextPeer();
      if (polite) peer.write(encodeFrame(ToInit.helloOk, 0, Buffer.from([PROTOCOL_VERSION, 0])));
      for (const chunk of chunks) peer.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
      peer.destroy();
    }),
    { numRuns: 60 },
  );
  for (const peer of peers) peer.destroy();
  server.close();
  await once(server, 'close');
  await init.connect();
  expect((await init.shell('echo alive')).stdout).toBe('alive\n');
  expect(init.process.exitCode).toBe(null);
}, 60_000);
