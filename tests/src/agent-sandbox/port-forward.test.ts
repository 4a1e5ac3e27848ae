import { type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  claimReady,
  Kube,
  kubeconfigOf,
  Kubectl,
  kubectls,
  noKubectl,
  openFiles,
  useDaemon,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon({ kubernetes: true, args: ['--pod-network', 'off'] });
const gib = 2 ** 30;
const mib = Buffer.alloc(2 ** 20, 'a port is where cargo goes in and out ');

/**
 * A server of the guest's own. 7001 counts and hashes what comes and answers that when the sender
 * has closed its half; 7002 sends 32 MiB; 7003 echoes.
 */
const server = `
import asyncio, hashlib
async def take(reader, writer):
    digest, count = hashlib.sha256(), 0
    while data := await reader.read(1 << 20):
        digest.update(data); count += len(data)
    writer.write(f"{count} {digest.hexdigest()}\\n".encode()); await writer.drain(); writer.close()
async def give(reader, writer):
    block = (b"a port is where cargo goes in and out " * 30000)[:1 << 20]
    for _ in range(32):
        writer.write(block); await writer.drain()
    writer.close()
async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data); await writer.drain()
    writer.close()
async def main():
    servers = [await asyncio.start_server(f, "127.0.0.1", p) for f, p in ((take, 7001), (give, 7002), (echo, 7003))]
    await asyncio.gather(*(s.serve_forever() for s in servers))
asyncio.run(main())
`;

let kube: Kube;
let kubeconfig: string;
beforeAll(async () => {
  kube = await Kube.of(used.daemon);
  await claimReady(kube, 'box');
  const box = await used.api.get('box');
  await used.api.send('PUT', `/v1/sandboxes/${box.id}/fs?path=/tmp/server.py`, { body: server });
  await used.api.exec(box.id, 'setsid python3 /tmp/server.py >/tmp/log 2>&1 &');
  await waitFor(
    async () =>
      (
        await used.api.exec(
          box.id,
          'python3 -c "import socket; socket.create_connection((\'127.0.0.1\', 7003))"',
        )
      ).exit_code === 0,
    { timeoutMs: 20_000, what: 'the server in the sandbox' },
  );
  if (kubectls.length > 0) kubeconfig = kubeconfigOf(used.daemon);
});
afterAll(() => kube?.[Symbol.dispose]());

/** Starts `kubectl port-forward` to a port of the pod; the local port. */
async function forward(
  kubectl: Kubectl,
  port: number,
): Promise<{ child: ChildProcess; local: number }> {
  const child = kubectl.start(['port-forward', 'pod/box', `:${port}`]);
  child.stderr?.resume();
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const local = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (local === undefined) continue;
    child.stdout?.resume();
    return { child, local: Number(local) };
  }
  throw new Error('kubectl ended before it forwarded');
}

const open = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
};

const text = async (socket: Socket): Promise<string> => {
  let all = '';
  for await (const chunk of socket) all += String(chunk);
  return all;
};

if (kubectls.length === 0) test('port-forward', (context) => context.skip(noKubectl));

describe.runIf(kubectls.length > 0).each([{ websocket: 'true' }, { websocket: 'false' }])(
  'over WebSocket: $websocket',
  ({ websocket }) => {
    const kubectl = () =>
      new Kubectl(kubectls[0] ?? '', kubeconfig, { KUBECTL_PORT_FORWARD_WEBSOCKETS: websocket });

    test('a GiB goes in and a GiB comes out, whole', async () => {
      const { child, local } = await forward(kubectl(), 8888);
      const request = (method: string, path: string, headers: OutgoingHttpHeaders) =>
        httpRequest({ host: '127.0.0.1', port: local, method, path, headers });
      const head = Buffer.from(
        '--b\r\nContent-Disposition: form-data; name="file"; filename="large"\r\n\r\n',
      );
      const tail = Buffer.from('\r\n--b--\r\n');
      const sent = createHash('sha256');
      const upload = request('POST', '/upload', {
        'content-type': 'multipart/form-data; boundary=b',
        'content-length': head.length + gib + tail.length,
      });
      const uploaded = once(upload, 'response');
      const startedAt = performance.now();
      upload.write(head);
      for (let at = 0; at < gib; at += mib.length) {
        sent.update(mib);
        if (!upload.write(mib)) await once(upload, 'drain');
      }
      upload.end(tail);
      const [answer] = (await uploaded) as [IncomingMessage];
      answer.resume();
      expect(answer.statusCode).toBe(200);
      const upSeconds = (performance.now() - startedAt) / 1000;
      const digest = sent.digest('hex');
      const inside = await used.api.exec((await used.api.get('box')).id, 'sha256sum < large', {
        cwd: '/home/user',
      });
      expect(inside.stdout).toContain(digest);

      const downAt = performance.now();
      const download = request('GET', '/download/large', {});
      const downloaded = once(download, 'response');
      download.end();
      const [body] = (await downloaded) as [IncomingMessage];
      const came = createHash('sha256');
      for await (const chunk of body) came.update(chunk as Buffer);
      const downSeconds = (performance.now() - downAt) / 1000;
      expect(came.digest('hex')).toBe(digest);
      child.kill();
      console.log(
        `tunnel by ${websocket === 'true' ? 'WebSocket' : 'SPDY'}: ${(1024 / upSeconds).toFixed(0)} MiB/s in, ${(1024 / downSeconds).toFixed(0)} MiB/s out`,
      );
    }, 300_000);

    test('much goes in and comes out of a port of the guest, each half by itself', async () => {
      const into = await forward(kubectl(), 7001);
      const socket = await open(into.local);
      const sent = createHash('sha256');
      for (let at = 0; at < 32; at++) {
        sent.update(mib);
        if (!socket.write(mib)) await once(socket, 'drain');
      }
      // Half of the connection is closed; the answer still comes by the other.
      socket.end();
      expect(await text(socket)).toBe(`${32 * mib.length} ${sent.digest('hex')}\n`);
      into.child.kill();
      const out = await forward(kubectl(), 7002);
      const came = createHash('sha256');
      for await (const chunk of await open(out.local)) came.update(chunk as Buffer);
      expect(came.digest('hex')).toBe(
        createHash('sha256')
          .update(Buffer.concat(Array.from({ length: 32 }, () => mib)))
          .digest('hex'),
      );
      out.child.kill();
    }, 120_000);

    test('50 connections at once keep their bytes apart', async () => {
      const { child, local } = await forward(kubectl(), 7003);
      await Promise.all(
        Array.from({ length: 50 }, async (_, at) => {
          const socket = await open(local);
          const own = `${at} `.repeat(50_000);
          const answer = text(socket);
          socket.end(own);
          expect((await answer) === own).toBe(true);
        }),
      );
      child.kill();
    }, 120_000);

    test('a port where nobody listens is told, and the tunnel goes on', async () => {
      const child = kubectl().start(['port-forward', 'pod/box', ':7999', ':7003']);
      let errors = '';
      child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
      const ports: number[] = [];
      for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
        const local = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (local !== undefined) ports.push(Number(local));
        if (ports.length === 2) break;
      }
      child.stdout?.resume();
      const refused = await open(ports[0] ?? 0);
      refused.on('error', () => undefined).end();
      await once(refused.resume(), 'close');
      await expect.poll(() => errors).toContain('7999');
      if (child.exitCode === null) {
        const fine = await open(ports[1] ?? 0).catch(() => undefined);
        if (fine !== undefined) {
          const answer = text(fine);
          fine.end('still here');
          // kubectl itself gives a tunnel up after an error since 1.30; ours must not be the reason.
          expect(['still here', '']).toContain(await answer.catch(() => ''));
        }
      }
      child.kill();
    });

    test('a killed kubectl leaves nothing in the daemon', async () => {
      const before = openFiles(used.daemon.pid);
      for (let round = 0; round < 5; round++) {
        const { child, local } = await forward(kubectl(), 7003);
        const sockets = await Promise.all(Array.from({ length: 10 }, () => open(local)));
        for (const socket of sockets) {
          socket.on('error', () => undefined);
          socket.write('x'.repeat(100_000));
        }
        child.kill('SIGKILL');
        await once(child, 'exit');
        for (const socket of sockets) socket.destroy();
      }
      await waitFor(() => openFiles(used.daemon.pid).length <= before.length + 2, {
        what: 'the end of all connections in the daemon',
      });
    });
  },
);

test('50 tunnels at once', async (context) => {
  if (kubectls.length === 0) context.skip(noKubectl);
  const tunnels = await Promise.all(
    Array.from({ length: 50 }, () => forward(new Kubectl(kubectls[0] ?? '', kubeconfig), 7003)),
  );
  await Promise.all(
    tunnels.map(async ({ local }, at) => {
      const socket = await open(local);
      const answer = text(socket);
      socket.end(`tunnel ${at}`);
      expect(await answer).toBe(`tunnel ${at}`);
    }),
  );
  for (const { child } of tunnels) child.kill();
}, 120_000);
