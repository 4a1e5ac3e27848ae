import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Backend } from '../testing/backends.ts';
import { kubectls, noKubectl } from '../testing/find-kubectl.ts';
import { type KubectlRun, KubectlTunnel } from '../testing/run-kubectl.ts';
import { ToyCluster } from '../testing/toy-cluster.ts';

const MiB = 2 ** 20;
const block = randomBytes(MiB);

let cluster: ToyCluster;
let echo: Backend;
beforeAll(async () => {
  cluster = await ToyCluster.start();
  echo = await Backend.echo();
});
afterAll(async () => {
  await echo[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends blocks, ends its direction, and gives the hashes of what went and what came back. */
async function roundTrip(port: number, blocks: number): Promise<{ sent: string; got: string }> {
  const socket = await dial(port);
  const sent = createHash('sha1');
  const got = createHash('sha1');
  socket.on('data', (chunk: Buffer) => got.update(chunk));
  for (let count = 0; count < blocks; count++) {
    sent.update(block);
    if (!socket.write(block)) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'end');
  socket.destroy();
  return { sent: sent.digest('hex'), got: got.digest('hex') };
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe.skipIf(kubectls.length === 0)(`kubectl port-forward (skipped when ${noKubectl})`, () => {
  const runs = kubectls.flatMap((program) =>
    [true, false].map((webSocket) => ({ program, webSocket })),
  );

  describe.each(runs)('$program, over WebSocket: $webSocket', (each) => {
    const run = (): KubectlRun => ({ ...each, kubeconfig: cluster.kubeconfig });
    // It falls back to the other one when it is refused.
    afterEach(() => {
      expect(cluster.lastUpgrade).toBe(each.webSocket ? 'websocket' : 'spdy/3.1');
    });

    const blocks = each.program === kubectls[0] ? 1024 : 64;
    it(`carries ${blocks} MiB each way, in little memory`, { timeout: 300_000 }, async () => {
      await using tunnel = await KubectlTunnel.open(run(), [echo.port]);
      const before = process.memoryUsage().rss;
      let peak = before;
      const watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage().rss);
      }, 50);
      const { sent, got } = await roundTrip(tunnel.port(echo.port), blocks);
      clearInterval(watch);
      expect(got).toBe(sent);
      expect(peak - before).toBeLessThan(200 * MiB);
    });

    it('carries 100 connections at once', { timeout: 60_000 }, async () => {
      await using tunnel = await KubectlTunnel.open(run(), [echo.port]);
      const port = tunnel.port(echo.port);
      const trips = await Promise.all(Array.from({ length: 100 }, () => roundTrip(port, 1)));
      for (const { sent, got } of trips) expect(got).toBe(sent);
      await expect.poll(() => echo.connections.size).toBe(0);
    });

    it('passes on the end of what the client sends before the answer comes', async () => {
      await using counter = await Backend.start((socket) => {
        let bytes = 0;
        socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
        socket.on('end', () => socket.end(`${bytes} bytes`));
      });
      await using tunnel = await KubectlTunnel.open(run(), [counter.port]);
      const socket = await dial(tunnel.port(counter.port));
      socket.end(block);
      expect(await readAll(socket)).toBe(`${MiB} bytes`);
    });

    it('forwards several ports', async () => {
      await using greeter = await Backend.start((socket) => socket.end('hello'));
      await using tunnel = await KubectlTunnel.open(run(), [echo.port, greeter.port]);
      expect(await readAll(await dial(tunnel.port(greeter.port)))).toBe('hello');
      const { sent, got } = await roundTrip(tunnel.port(echo.port), 1);
      expect(got).toBe(sent);
    });

    it('tells why a connection fails', async () => {
      await using tunnel = await KubectlTunnel.open(run(), [1]);
      (await dial(tunnel.port(1))).end('x');
      await expect
        .poll(() => tunnel.stderr)
        .toContain('error forwarding port 1 to pod toy in namespace default: connect ECONNREFUSED');
    });

    it('ends the connection of a client when the pod breaks it, and no other', async () => {
      await using breaker = await Backend.start((socket) =>
        socket.once('data', () => socket.resetAndDestroy()),
      );
      await using tunnel = await KubectlTunnel.open(run(), [breaker.port, echo.port]);
      const socket = await dial(tunnel.port(breaker.port));
      socket.write('x');
      expect(await readAll(socket)).toBe('');
      const { sent, got } = await roundTrip(tunnel.port(echo.port), 1);
      expect(got).toBe(sent);
    });

    it('leaves nothing when kubectl is killed', { timeout: 60_000 }, async () => {
      await using mute = await Backend.start((socket) =>
        socket.pause().on('end', () => socket.end()),
      );
      await using tunnel = await KubectlTunnel.open(run(), [mute.port, echo.port]);
      const idle = await dial(tunnel.port(echo.port));
      const stuck = await dial(tunnel.port(mute.port));
      await expect.poll(() => mute.connections.size + echo.connections.size).toBe(2);
      while (stuck.write(block) || stuck.writableLength < 16 * MiB);
      await new Promise((resolve) => setTimeout(resolve, 300));
      tunnel.child.kill('SIGKILL');
      await expect.poll(() => cluster.open, { timeout: 20_000 }).toBe(0);
      for (const socket of mute.connections) socket.resume();
      await expect.poll(() => mute.connections.size + echo.connections.size).toBe(0);
      for (const socket of [stuck, idle]) socket.destroy();
    });
  });

  it('serves 50 tunnels at once', { timeout: 120_000 }, async () => {
    const [program = ''] = kubectls;
    const tunnels = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        KubectlTunnel.open(
          { program, webSocket: index % 2 === 0, kubeconfig: cluster.kubeconfig },
          [echo.port],
        ),
      ),
    );
    try {
      const trips = await Promise.all(tunnels.map((each) => roundTrip(each.port(echo.port), 1)));
      for (const { sent, got } of trips) expect(got).toBe(sent);
    } finally {
      await Promise.all(tunnels.map((each) => each[Symbol.asyncDispose]()));
    }
    await expect.poll(() => cluster.open).toBe(0);
  });
});
