import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Principal } from '@sandport/engine';
import { type Namespace, type SandboxId, SandportFault } from '@sandport/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpRuntime, RuntimeEngine } from '../runtimes/runtime.ts';
import type { LocatedSandbox } from '../sandboxes/sandbox-directory.ts';
import { Router } from './router.ts';

/** What the program in the sandbox does with a connection. */
type Program = (socket: Socket) => void;

const box = (namespace: string, name: string): LocatedSandbox => ({
  // What the directory of the controllers gives is of these types.
  namespace: namespace as Namespace,
  name,
  sandboxId: `id-${name}` as SandboxId,
  uid: 'u',
  user: 'user',
  home: '/home/user',
});

const boxes = [box('default', 'one'), box('other', 'two')];
const addresses: Readonly<Record<string, LocatedSandbox | undefined>> = {
  '127.66.0.16': boxes[0],
  '127.66.0.17': boxes[1],
};

/** Of whoever asks; the tests change it. */
let principal: Principal = { keyId: 'k' };
let connected: { sandbox: string; port: number }[] = [];
let served: string[] = [];
let guest: ReturnType<typeof createServer>;
let program: Program;
let front: Server;

const runtimeCalled = (name: string): HttpRuntime => ({
  handle: async (exchange, target) => {
    served.push(`${name} ${target.sandbox.name} ${exchange.request.url}`);
    exchange.json(200, { runtime: name });
  },
});

beforeEach(async () => {
  principal = { keyId: 'k' };
  connected = [];
  served = [];
  guest = createServer((socket) => {
    socket.on('error', () => undefined);
    program(socket);
  });
  await new Promise<void>((resolve) => guest.listen(0, '127.0.0.1', resolve));
  const connectTo = async (_principal: Principal, sandbox: string, port: number) => {
    connected.push({ sandbox, port });
    if (port === 1) throw new SandportFault('port_not_open', 'nothing there', {});
    const socket = connect((guest.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const router = new Router({
    // The router calls nothing else of the engine itself.
    engine: { commands: { connect: connectTo } } as unknown as RuntimeEngine,
    directory: () => ({
      find: (who, namespace, name) =>
        boxes.find(
          (each) =>
            each.namespace === namespace &&
            each.name === name &&
            (who.namespaces?.has(each.namespace) ?? true),
        ),
      byAddress: (address) => addresses[address],
    }),
    python: runtimeCalled('python'),
    sandboxd: runtimeCalled('sandboxd'),
    log: () => undefined,
  });
  front = createHttpServer((request, response) => void router.handle(request, response, principal));
  front.on(
    'upgrade',
    (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      void router.upgrade(request, socket, head, principal),
  );
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  front.closeAllConnections();
  front.close();
  guest.close();
});

/** Sends lines as they are, and reads to the end of the connection. */
async function raw(lines: string[], body = ''): Promise<string> {
  const socket = connect((front.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  return text(socket);
}

const get = (fields: readonly string[], target = '/x') =>
  raw([`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', ...fields]);

const one = 'X-Sandbox-ID: one';
const statusOf = (answer: string) => Number(answer.split(' ')[1]);
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);

const answerWith =
  (answer: string): Program =>
  (socket) => {
    socket.once('data', () => socket.end(answer));
  };

describe('the fields', () => {
  test.each<[string[], number, string]>([
    [[], 400, 'X-Sandbox-ID header is required.'],
    [['X-Sandbox-ID: '], 400, 'X-Sandbox-ID header is required.'],
    [['X-Sandbox-ID: a.b'], 400, 'Invalid sandbox ID format.'],
    [['X-Sandbox-ID: 127.0.0.1'], 400, 'Invalid sandbox ID format.'],
    [['X-Sandbox-ID: One'], 400, 'Invalid sandbox ID format.'],
    [['X-Sandbox-ID: one@evil'], 400, 'Invalid sandbox ID format.'],
    [['X-Sandbox-ID: one/../two'], 400, 'Invalid sandbox ID format.'],
    [[`X-Sandbox-ID: ${'a'.repeat(64)}`], 400, 'Invalid sandbox ID format.'],
    [[one, 'X-Sandbox-ID: two'], 400, 'Invalid sandbox ID format.'],
    [[one, 'X-Sandbox-Namespace: a.b'], 400, 'Invalid namespace format.'],
    [[one, 'X-Sandbox-Namespace: '], 400, 'Invalid namespace format.'],
    [[one, 'X-Sandbox-Port: 0'], 400, 'Invalid port format.'],
    [[one, 'X-Sandbox-Port: 65536'], 400, 'Invalid port format.'],
    [[one, 'X-Sandbox-Port: -1'], 400, 'Invalid port format.'],
    [[one, 'X-Sandbox-Port: 80@evil'], 400, 'Invalid port format.'],
    [[one, 'X-Sandbox-Port: 0x50'], 400, 'Invalid port format.'],
    ...[
      '127.0.0.1',
      '127.66.0.17',
      '127.66.0.1',
      '169.254.169.254',
      '0.0.0.0',
      '::1',
      '::ffff:127.66.0.16',
      '10.0.0.1',
      'localhost',
      '2130706433',
      '0x7f.0.0.1',
      '127.66.0.16:80',
      '127.66.0.16, 10.0.0.1',
      '',
    ].map((address): [string[], number, string] => [
      [one, `X-Sandbox-Pod-IP: ${address}`],
      400,
      'Invalid target IP address.',
    ]),
    [['X-Sandbox-ID: three'], 502, 'Could not connect to the backend sandbox: three'],
    [['X-Sandbox-ID: two'], 502, 'Could not connect to the backend sandbox: two'],
    [[one, 'X-Sandbox-Port: 1'], 502, 'Could not connect to the backend sandbox: one'],
  ])('%j', async (fields, status, detail) => {
    const answer = await get(fields);
    expect(statusOf(answer)).toBe(status);
    expect(JSON.parse(bodyOf(answer))).toEqual({ detail });
    expect(served).toEqual([]);
    expect(connected.every(({ sandbox }) => sandbox === 'id-one')).toBe(true);
  });

  test('lead to the runtimes by default, and with the own address', async () => {
    expect(statusOf(await get([one], '/list/%2Fa'))).toBe(200);
    expect(statusOf(await get([one, 'X-Sandbox-Pod-IP: 127.66.0.16']))).toBe(200);
    const second = ['X-Sandbox-ID: two', 'X-Sandbox-Namespace: other', 'X-Sandbox-Port: 8080'];
    expect(statusOf(await get(second))).toBe(200);
    expect(served).toEqual(['python one /list/%2Fa', 'python one /x', 'sandboxd two /x']);
  });

  test('lead to no sandbox of another namespace', async () => {
    principal = { keyId: 'k', namespaces: new Set(['default' as Namespace]) };
    const answer = await get(['X-Sandbox-ID: two', 'X-Sandbox-Namespace: other']);
    expect(statusOf(answer)).toBe(502);
    expect(served).toEqual([]);
  });
});

test('healthz', async () => {
  expect(bodyOf(await get([], '/healthz'))).toBe('{"status":"ok"}');
});

test.each(['http://169.254.169.254/', '//evil/x', '*', 'evil:80'])(
  'a target that is no path: %s',
  async (target) => {
    const answer = await get([one], target);
    if (target.startsWith('//')) expect(served).toEqual([`python one ${target}`]);
    else expect(statusOf(answer)).toBe(400);
    expect(connected).toEqual([]);
  },
);

test('requests of web pages are refused', async () => {
  expect(statusOf(await get([one, 'Origin: http://evil']))).toBe(403);
  expect(statusOf(await get([one, 'Origin: null']))).toBe(403);
  expect(served).toEqual([]);
});

test('two lengths are no request', async () => {
  const lines = ['POST /x HTTP/1.1', 'Host: x', one, 'X-Sandbox-Port: 80'];
  const smuggled = [...lines, 'Content-Length: 4', 'Transfer-Encoding: chunked'];
  expect(statusOf(await raw(smuggled, '0\r\n\r\nGET /y HTTP/1.1\r\n\r\n'))).toBe(400);
  expect(connected).toEqual([]);
});

describe('programs in the sandbox', () => {
  const toProgram = [one, 'X-Sandbox-Port: 5000'];

  test('see the request as it is, without keys and the connection', async () => {
    let seen = '';
    program = (socket) => {
      socket.on('data', (chunk) => {
        seen += chunk;
        if (seen.includes('body')) socket.end('HTTP/1.1 201 Made\r\nX-A: 1\r\nX-A: 2\r\n\r\nyes');
      });
    };
    const answer = await raw(
      [
        'POST /a%2Fb/../%2e%2e?x=%20 HTTP/1.1',
        'Host: evil.example',
        ...toProgram,
        'Authorization: Bearer KEY',
        'X-API-Key: KEY',
        'X-Hop: 1',
        'Connection: close, X-Hop',
        'X-Kept: yes',
        'Content-Length: 4',
      ],
      'body',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 201 Made\r\n/);
    expect(answer).toContain('X-A: 1\r\nX-A: 2\r\n');
    expect(bodyOf(answer)).toContain('yes');
    expect(seen).toMatch(
      /^POST \/a%2Fb\/\.\.\/%2e%2e\?x=%20 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:5000/,
    );
    expect(seen).toContain('X-Kept: yes');
    expect(seen).not.toMatch(/KEY|X-Hop|evil/);
    expect(connected).toEqual([{ sandbox: 'id-one', port: 5000 }]);
  });

  test('whose redirects are passed on, not followed', async () => {
    program = answerWith(
      'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n',
    );
    const answer = await get(toProgram);
    expect(statusOf(answer)).toBe(302);
    expect(connected).toHaveLength(1);
  });

  test.each([
    ['nothing', ''],
    ['garbage', 'garbage\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    [
      'TE and CL',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'X-A: y\r\n'.repeat(20_000)}\r\n`],
    ['a flood of 1xx', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000)],
    [
      '101 that nobody asked for',
      'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['a bare line end in a header', 'HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b\r\rY: c\r\n\r\n'],
  ])('that answer with %s', async (_name, answer) => {
    program = answerWith(answer);
    const answered = await get(toProgram);
    expect(statusOf(answered)).toBe(502);
    expect(JSON.parse(bodyOf(answered))).toEqual({
      detail: 'Could not connect to the backend sandbox: one',
    });
  });

  test('that answer too late', async () => {
    program = () => undefined;
    const answer = await get([...toProgram, 'X-Sandbox-Timeout: 0.1']);
    expect(statusOf(answer)).toBe(504);
    expect(bodyOf(answer)).toContain('Timed out waiting for the backend sandbox: one');
  });

  test('that break off in the answer break the answer', async () => {
    program = answerWith('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    const answer = await get(toProgram);
    expect(statusOf(answer)).toBe(200);
    expect(bodyOf(answer)).toBe('half');
  });

  test('whose client has gone are left', async () => {
    let closed = false;
    program = (socket) => void socket.resume().on('close', () => (closed = true));
    const socket = connect((front.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${toProgram.join('\r\n')}\r\n\r\n`);
    await expect.poll(() => connected.length).toBe(1);
    await sleep(20);
    socket.destroy();
    await expect.poll(() => closed).toBe(true);
  });

  const upgrade = [
    'GET /ws HTTP/1.1',
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    ...toProgram,
  ];

  test('that agree to an upgrade', async () => {
    program = (socket) => {
      let seen = '';
      socket.on('data', (chunk) => {
        seen += chunk;
        if (seen.endsWith('\r\n\r\n'))
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-B: c\r\n\r\nfirst',
          );
        if (seen.endsWith('ping')) socket.end(' pong');
      });
    };
    const socket = connect((front.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`${upgrade.join('\r\n')}\r\n\r\n`);
    let seen = '';
    socket.on('data', (chunk) => {
      seen += chunk;
      if (seen.endsWith('first')) socket.write('ping');
    });
    await once(socket, 'close');
    expect(seen).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(seen).toContain('X-B: c\r\n');
    expect(bodyOf(seen)).toBe('first pong');
  });

  test.each([
    ['refuse an upgrade', 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno', 403],
    ['answer an upgrade with garbage', 'garbage\r\n\r\n', 502],
  ])('that %s', async (_name, answer, status) => {
    program = answerWith(answer);
    expect(statusOf(await raw(upgrade))).toBe(status);
  });

  test('are no target of pages with upgrades', async () => {
    expect(statusOf(await raw([...upgrade, 'Origin: http://evil']))).toBe(403);
    expect(connected).toEqual([]);
  });
});
