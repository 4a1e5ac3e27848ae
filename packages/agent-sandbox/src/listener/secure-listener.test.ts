import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, openAuthority } from '../tls/authority-files.ts';
import { ServingCertificate } from '../tls/serving-certificate.ts';
import { type RequestHandler, SecureListener } from './secure-listener.ts';

let parent: string;
let authority: Authority;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'sandport-listener-'));
  authority = await openAuthority(join(parent, 'kubernetes'));
});
afterAll(() => rm(parent, { recursive: true }));

const handler: RequestHandler = {
  handle: async (request, response) => {
    if (request.url === '/fails') throw new Error('as if by mistake');
    if (request.url === '/endless') response.write('{}\n');
    else response.end(request.url);
  },
  handleUpgrade: async (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  },
};

const newCertificate = async () => {
  const options = { authority, names: ['127.0.0.1'], renewed: () => {}, failed: () => {} };
  const { serving, pair } = await ServingCertificate.start(options);
  serving[Symbol.dispose]();
  return pair;
};

async function listening() {
  const certificate = await newCertificate();
  const listener = new SecureListener({ handler, certificate, log: () => {} });
  const { port } = await listener.listen('127.0.0.1', 0);
  return { listener, port, [Symbol.asyncDispose]: () => listener.close(200) };
}

const get = (port: number, path: string, agent?: Agent): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, ca: authority.pem, agent: agent ?? false };
    const sent = httpsRequest(options, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      resolve(Buffer.concat(chunks).toString());
    });
    sent.on('error', reject).end();
  });

/** Sends bytes to the port as they are; resolves with what comes back until it is closed. */
const raw = (port: number, bytes: string | Uint8Array): Promise<string> =>
  say(
    connect(port, '127.0.0.1').on('error', () => {}),
    bytes,
  );

/** The same upon TLS. */
const secured = (port: number, text: string): Promise<string> => say(over(port), text);

async function say(socket: Socket, bytes: string | Uint8Array): Promise<string> {
  socket.write(bytes);
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

const over = (port: number) =>
  tlsConnect({ host: '127.0.0.1', port, ca: authority.pem }).on('error', () => {});

test('serves those who trust the authority, and nobody with an old TLS', async () => {
  await using server = await listening();
  expect(await get(server.port, '/a')).toBe('/a');
  const old = tlsConnect({
    host: '127.0.0.1',
    port: server.port,
    ca: authority.pem,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT:@SECLEVEL=0',
  });
  const [error] = await once(old, 'error');
  expect(String(error)).toContain('protocol version');
});

test('what is no TLS, or no HTTP, ends its own connection only', async () => {
  await using server = await listening();
  const { port } = server;
  const watch = over(port);
  watch.write('GET /endless HTTP/1.1\r\nHost: h\r\n\r\n');
  await once(watch, 'data');
  await raw(port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await raw(port, Buffer.from('160301ffff', 'hex'));
  await raw(port, Buffer.alloc(70_000, 0x16));
  const answer = await secured(port, 'THIS IS NOT HTTP\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request/);
  expect(answer).toContain('"kind":"Status"');
  const large = `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
  expect(await secured(port, large)).toMatch(/^(HTTP\/1\.1 431 |$)/);
  await expect(get(port, '/fails')).rejects.toThrow();
  expect(watch.destroyed).toBe(false);
  expect(await get(port, '/still')).toBe('/still');
  watch.destroy();
});

test('whatever bytes come, below TLS or in it, others are served', async () => {
  await using server = await listening();
  const { port } = server;
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
  const record = bytes.map((body) =>
    Buffer.concat([Buffer.from([22, 3, 1, 0, body.length & 0xff]), body]),
  );
  const sendAndLeave = async (socket: Socket, data: Uint8Array) => {
    socket.on('error', () => {}).resume();
    socket.end(data);
    await new Promise((resolve) => socket.once('close', resolve));
  };
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, record), fc.boolean(), async (data, upon) => {
      await sendAndLeave(upon ? over(port) : connect(port, '127.0.0.1'), data);
    }),
    { numRuns: 60 },
  );
  expect(await get(port, '/still')).toBe('/still');
});

test('another certificate is for new connections; those that are there go on', async () => {
  await using server = await listening();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await get(server.port, '/a', agent);
  const serial = async () => {
    const socket = over(server.port);
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const before = await serial();
  const watch = over(server.port);
  watch.write('GET /endless HTTP/1.1\r\nHost: h\r\n\r\n');
  await once(watch, 'data');
  server.listener.useCertificate(await newCertificate());
  expect(await serial()).not.toBe(before);
  expect(await get(server.port, '/b', agent)).toBe('/b');
  expect(watch.destroyed).toBe(false);
  agent.destroy();
  watch.destroy();
});

test('closing waits for answers, cuts the endless ones, and ends tunnels and handshakes', async () => {
  const server = await listening();
  const { port, listener } = server;
  const endless = over(port);
  endless.write('GET /endless HTTP/1.1\r\nHost: h\r\n\r\n');
  await once(endless, 'data');
  const tunnel = over(port);
  tunnel.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
  await once(tunnel, 'data');
  const silent = connect(port, '127.0.0.1').on('error', () => {});
  await once(silent, 'connect');
  const ends = Promise.all([endless, tunnel, silent].map((socket) => once(socket, 'close')));
  const startedAt = performance.now();
  await listener.close(300);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  await ends;
  await expect(get(port, '/a')).rejects.toThrow('ECONNREFUSED');
});
