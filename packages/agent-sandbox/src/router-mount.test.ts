import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine, Principal } from '@sandport/engine';
import { type Router, routerMount } from './router-mount.ts';

const keys = {
  authenticate: (key: string) => (key === 'sp_good' ? { keyId: 'k' } : undefined),
} as Engine['keys'];

interface Seen {
  readonly principal: Principal;
  readonly headers: string;
}
const seen: Seen[] = [];
const see = (request: IncomingMessage, principal: Principal) => {
  const headers = JSON.stringify([request.headers, request.rawHeaders]);
  seen.push({ principal, headers });
};

const router: Router = {
  handle: async (request, response, principal) => {
    see(request, principal);
    response.end('answered');
  },
  upgrade: async (request, socket, _head, principal) => {
    see(request, principal);
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  },
};

let server: Server;
let port: number;
beforeEach(async () => {
  seen.length = 0;
  const mount = routerMount(keys, router);
  server = createServer((request, response) => void mount.handle(request, response));
  server.on('checkContinue', (request, response) => void mount.handle(request, response));
  server.on('upgrade', (request, socket, head) => void mount.upgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function send(lines: readonly string[], body = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

const basic = `Basic ${Buffer.from('x:sp_good').toString('base64')}`;
const get = ['GET / HTTP/1.1', 'Host: h', 'Connection: close'];
const upgrade = ['GET / HTTP/1.1', 'Host: h', 'Connection: Upgrade', 'Upgrade: websocket'];

test.each([['Authorization: Bearer sp_good'], ['X-API-Key: sp_good'], [`aUTHORIZATION: ${basic}`]])(
  'whoever sends "%s" may come in, and what is behind never sees the key',
  async (header) => {
    expect(await send([...get, header])).toContain('answered');
    expect(await send([...upgrade, header])).toContain('101 Switching Protocols');
    expect(seen.map(({ principal }) => principal.keyId)).toEqual(['k', 'k']);
    const secrets = /sp_good|authorization|x-api-key|Basic/i;
    for (const { headers } of seen) expect(headers).not.toMatch(secrets);
  },
);

test('a second key in another header is removed, too', async () => {
  await send([
    ...get,
    'X-API-Key: sp_other',
    'Authorization: Bearer sp_good',
    'X-API-Key: sp_third',
  ]);
  expect(seen[0]?.headers).not.toMatch(/sp_/);
});

test.each([[[]], [['Authorization: Bearer sp_bad']], [['X-API-Key: sp_good, sp_good']]])(
  'with %j nobody comes in',
  async (headers: string[]) => {
    for (const request of [get, upgrade]) {
      const answer = await send([...request, ...headers]);
      expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
      expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toHaveProperty('detail');
    }
    expect(seen).toEqual([]);
  },
);

test('whoever holds a body back is refused without being asked for it', async () => {
  const post = [
    'POST / HTTP/1.1',
    'Host: h',
    'Connection: close',
    'Expect: 100-continue',
    'Content-Length: 2',
  ];
  expect(await send(post)).toMatch(/^HTTP\/1\.1 401 /);
  expect(await send([...post, 'X-API-Key: sp_good'], '{}')).toContain('answered');
});
