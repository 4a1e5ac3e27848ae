import { once } from 'node:events';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientOptions } from 'ws';
import { Backend } from '../testing/backends.ts';
import { ChannelClient } from '../testing/channel-client.ts';
import { clientFrame, rawWebSocket, tunnelOf } from '../testing/raw-web-socket.ts';
import { SpdyClient } from '../testing/spdy-client.ts';
import { ToyCluster } from '../testing/toy-cluster.ts';

const MiB = 2 ** 20;
const tunnel = 'SPDY/3.1+portforward.k8s.io';
const v4 = ['v4.channel.k8s.io'];
const v5 = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

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

const podUrl = (rest: string): string =>
  `${cluster.url}/api/v1/namespaces/default/pods/toy/${rest}`;

const exec = (
  query: string,
  command: readonly string[],
  protocols: readonly string[],
  options: ClientOptions = {},
) => {
  const commands = command.map((word) => `&command=${encodeURIComponent(word)}`).join('');
  return ChannelClient.open(podUrl(`exec?${query}${commands}`), protocols, options);
};

/** The answer to a request for an upgrade, as it comes. */
async function rawUpgrade(
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const socket = connect({ port: cluster.port, host: '127.0.0.1' });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: toy\r\nConnection: Upgrade\r\n${lines.join('')}\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe('exec over channels', () => {
  it.each([
    ['v4', v4],
    ['v5', v5],
  ])('%s: gives output and exit code', async (_name, protocols) => {
    const script = 'echo out; echo err >&2; exit 3';
    const client = await exec('stdout=1&stderr=true', ['sh', '-c', script], protocols);
    expect(await client.closed).toBe(1000);
    expect(client.first).toBe(1);
    expect(client.text(1)).toBe('out\n');
    expect(client.text(2)).toBe('err\n');
    expect(JSON.parse(client.text(3))).toEqual({
      metadata: {},
      status: 'Failure',
      reason: 'NonZeroExitCode',
      message: 'command terminated with non-zero exit code: 3',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
  });

  it('does not wait for ever for a client that answers no ping', async () => {
    const client = await exec('stdout=1', ['echo', 'out'], v5, { autoPong: false });
    await client.closed;
    expect(client.text(1)).toBe('out\n');
  });

  it('leaves out the streams that the query does not ask for', async () => {
    const client = await exec('stderr=true', ['sh', '-c', 'echo out; echo err >&2'], v5);
    await client.closed;
    expect([...client.received.keys()].sort()).toEqual([2, 3]);
    expect(JSON.parse(client.text(3))).toEqual({ metadata: {}, status: 'Success' });
  });

  it('v5: ends the input with a message on channel 255', async () => {
    const client = await exec('stdin=true&stdout=true', ['wc', '-c'], v5);
    client.send(0, 'four');
    client.send(255, Buffer.from([0]));
    await client.closed;
    expect(client.text(1).trim()).toBe('4');
  });

  it('takes text messages, and one message of 10 MiB', async () => {
    const client = await exec('stdin=true&stdout=true', ['wc', '-c'], v5);
    client.socket.send('\u0000text');
    client.send(0, Buffer.alloc(10 * MiB));
    client.send(255, Buffer.from([0]));
    await client.closed;
    expect(client.text(1).trim()).toBe(String(10 * MiB + 4));
  });

  it('passes on the sizes of the terminal', async () => {
    const client = await exec('stdin=true&stdout=true&stderr=true&tty=true', ['sizes'], v5);
    client.send(4, 'no size');
    client.send(4, '{"Width":80,"Height":24}');
    await expect.poll(() => client.text(1)).toBe('80x24\n');
    client.send(4, '{"Width":0,"Height":24}{"Width":132,');
    client.send(4, '"Height":43}\n');
    await client.closed;
    expect(client.text(1)).toBe('80x24\n132x43\n');
  });

  it('ends the command when the client goes', async () => {
    const client = await exec('stdin=true&stdout=true', ['sleep', '1000'], v5);
    await expect.poll(() => cluster.pod.running).toBe(1);
    client.socket.terminate();
    await expect.poll(() => cluster.pod.running).toBe(0);
  });

  it('holds a client back that sends more than is read', async () => {
    const client = await exec('stdin=true&stdout=true', ['sleep', '1000'], v5);
    for (let sent = 0; sent < 64; sent++) client.send(0, Buffer.alloc(MiB));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(client.socket.bufferedAmount).toBeGreaterThan(32 * MiB);
    client.socket.terminate();
    await expect.poll(() => cluster.pod.running).toBe(0);
  });

  it('holds a command back that prints more than the client reads', async () => {
    const client = await exec('stdout=true', ['sh', '-c', 'cat /dev/zero'], v5);
    client.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = process.memoryUsage().rss;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(process.memoryUsage().rss - before).toBeLessThan(30 * MiB);
    client.socket.terminate();
    await expect.poll(() => cluster.pod.running).toBe(0);
  });
});

describe('port forwarding over channels', () => {
  it('begins each channel with its port, and carries bytes', async () => {
    const url = podUrl(`portforward?ports=${echo.port}`);
    const client = await ChannelClient.open(url, v5);
    expect(client.socket.protocol).toBe('v4.channel.k8s.io');
    const bytes = randomBytes(3 * MiB);
    client.send(0, bytes);
    await expect.poll(() => client.bytes(0).length).toBe(bytes.length + 2);
    expect(client.bytes(0).readUInt16LE()).toBe(echo.port);
    expect(client.bytes(0).subarray(2).equals(bytes)).toBe(true);
    expect(client.bytes(1).readUInt16LE()).toBe(echo.port);
    client.socket.terminate();
    await expect.poll(() => echo.connections.size).toBe(0);
  });

  it.each([
    ['&', (a: number, b: number) => `ports=${a}&ports=${b}`],
    [',', (a: number, b: number) => `ports=${a},${b}`],
  ])(
    'takes several ports, separated by %s, and closes after the last',
    async (_separator, query) => {
      await using greeter = await Backend.start((socket) => socket.end('hello'));
      await using other = await Backend.start((socket) =>
        socket.once('data', () => socket.end('bye')),
      );
      const client = await ChannelClient.open(
        podUrl(`portforward?${query(greeter.port, other.port)}`),
        v4,
      );
      await expect.poll(() => client.bytes(0).subarray(2).toString()).toBe('hello');
      client.send(2, 'x');
      expect(await client.closed).toBe(1000);
      expect(client.bytes(2).subarray(2).toString()).toBe('bye');
    },
  );

  it('tells why a connection fails on the channel for that', async () => {
    const client = await ChannelClient.open(podUrl('portforward?ports=1'), v4);
    expect(await client.closed).toBe(1000);
    expect(client.bytes(1).subarray(2).toString()).toMatch(
      /^error forwarding port 1 to pod toy .*ECONNREFUSED/,
    );
  });
});

describe('requests that cannot be served', () => {
  const webSocket = {
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
  };
  const exec5 = { ...webSocket, 'Sec-WebSocket-Protocol': 'v5.channel.k8s.io' };

  it.each([
    ['another protocol', 'exec?stdout=1&command=ls', { Upgrade: 'h2c' }, 400, 'neither SPDY/3.1'],
    ['no protocol', 'exec?stdout=1&command=ls', webSocket, 403, 'offers no protocol'],
    [
      'a base64 protocol',
      'exec?stdout=1&command=ls',
      { ...webSocket, 'Sec-WebSocket-Protocol': 'base64.channel.k8s.io' },
      403,
      'v5.channel.k8s.io, v4.channel.k8s.io',
    ],
    [
      'an old protocol of SPDY',
      'exec?stdout=1&command=ls',
      { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'channel.k8s.io' },
      403,
      'X-Accepted-Stream-Protocol-Versions: v4.channel.k8s.io',
    ],
    ['no command', 'exec?stdout=1', exec5, 400, 'specify a command'],
    ['no streams', 'exec?command=ls&stdout=false', exec5, 400, 'at least 1 of stdin'],
    [
      'no ports',
      'portforward',
      { ...webSocket, 'Sec-WebSocket-Protocol': v4[0] ?? '' },
      400,
      'must name 1 to 127 ports',
    ],
    [
      'a port that is none',
      'portforward?ports=80,x',
      { ...webSocket, 'Sec-WebSocket-Protocol': v4[0] ?? '' },
      400,
      'is no port',
    ],
    [
      'a WebSocket without a key',
      'exec?stdout=1&command=ls',
      { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': v5[0] ?? '' },
      400,
      '',
    ],
  ])('get an answer: %s', async (_what, path, headers, status, part) => {
    const answer = await rawUpgrade(`/api/v1/namespaces/default/pods/toy/${path}`, headers);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain(part);
    await expect.poll(() => cluster.open).toBe(0);
  });
});

describe('SPDY in a WebSocket', () => {
  it('is a byte stream, however it is cut into messages', async () => {
    const socket = await rawWebSocket(podUrl('portforward'), tunnel);
    const cut = tunnelOf(socket);
    const whole = cut.write.bind(cut);
    cut.write = (bytes: Buffer) =>
      [...bytes].map((byte) => whole(Buffer.from([byte]))).every(Boolean);
    const client = new SpdyClient(cut);
    const headers = { port: String(echo.port), requestid: '0' };
    await client.open({ ...headers, streamtype: 'error' });
    const id = await client.open({ ...headers, streamtype: 'data' });
    client.send(id, 'through the tunnel', true);
    await expect.poll(() => client.stream(id).bytes.toString()).toBe('through the tunnel');
    await expect.poll(() => client.stream(id).ended).toBe(true);
    socket.destroy();
    await expect.poll(() => cluster.open).toBe(0);
  });
});

describe('malformed messages', () => {
  it('end their connection and nothing else', { timeout: 120_000 }, async () => {
    const bystander = await exec('stdin=true&stdout=true', ['cat'], v5);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          ['exec?stdin=1&stdout=1&command=cat', 'v5.channel.k8s.io'] as const,
          ['exec?stdin=1&stdout=1&tty=1&command=cat', 'v4.channel.k8s.io'] as const,
          ['portforward', tunnel] as const,
          [`portforward?ports=${echo.port}`, 'v4.channel.k8s.io'] as const,
        ),
        fc.array(fc.tuple(fc.nat(15), fc.uint8Array({ maxLength: 40 })), { maxLength: 8 }),
        fc.constantFrom('framed', 'raw', 'flipped'),
        fc.nat(200),
        async ([path, protocol], messages, how, at) => {
          const socket = await rawWebSocket(podUrl(path), protocol);
          const bytes = Buffer.concat(
            messages.map(([opcode, payload]) =>
              how === 'raw' ? payload : clientFrame(opcode, Buffer.from(payload)),
            ),
          );
          if (how === 'flipped' && at < bytes.length) bytes[at] = 255 - (bytes[at] ?? 0);
          socket.resume();
          socket.end(bytes);
          await once(socket, 'close');
        },
      ),
      { numRuns: 100 },
    );
    bystander.send(0, 'unharmed');
    await expect.poll(() => bystander.text(1)).toBe('unharmed');
    bystander.socket.terminate();
    await expect.poll(() => cluster.open).toBe(0);
    await expect.poll(() => cluster.pod.running).toBe(0);
  });

  it.each([
    ['text in a tunnel', 1, 'text'],
    ['a message in a tunnel that is too large', 2, Buffer.alloc(2 * MiB)],
  ])('end the connection: %s', async (_what, opcode, message) => {
    const socket = await rawWebSocket(podUrl('portforward'), tunnel);
    socket.write(clientFrame(opcode, Buffer.from(message)));
    socket.resume();
    await once(socket, 'close');
  });

  it('end the connection: a message on a channel that is too large', async () => {
    const client = await exec('stdin=1&stdout=1', ['cat'], v5);
    client.send(0, Buffer.alloc(17 * MiB));
    expect(await client.closed).not.toBe(1000);
  });
});
