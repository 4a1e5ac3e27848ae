import { connect } from 'node:net';
import { once } from 'node:events';
import type { Engine } from '@sandport/engine';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpServer } from '../server.ts';
import { behind, type Mount } from './mount.ts';

test.each([
  ['/m', '/'],
  ['/m?a=1', '/?a=1'],
  ['/m/', '/'],
  ['/m/a%2Fb%252e?q=%20', '/a%2Fb%252e?q=%20'],
  ['/m//a', '//a'],
  ['/mm', undefined],
  ['/m%2Fa', undefined],
  ['/', undefined],
  ['http://h/m/a', undefined],
  ['/M/a', undefined],
])('behind the mount /m, %s is %s', (url, rest) => {
  expect(behind('/m', url)).toBe(rest);
});

const seen: string[] = [];
const mount: Mount = {
  path: '/m',
  handle: async (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url === '/fails') throw new Error('as if by mistake');
    response.end(`answered ${String(request.headers['x-request-id'] !== undefined)}`);
  },
  upgrade: async (request, socket, head) => {
    seen.push(`upgrade ${request.url}`);
    if (request.url === '/fails') throw new Error('as if by mistake');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${head.toString()}`);
    socket.pipe(socket);
  },
};

// Nothing here gets as far as the engine.
const engine = { keys: { authenticate: () => undefined } } as unknown as Engine;
let server: HttpServer;
let port: number;
beforeEach(async () => {
  seen.length = 0;
  const logger = pino({ level: 'silent' });
  server = new HttpServer({ engine, logger, version: '1', mounts: [mount] });
  ({ port } = await server.listen('127.0.0.1', 0));
});
afterEach(() => server.close(100));

/** What comes back until it holds `until`, or the connection ends. */
async function say(text: string, until?: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) {
    answer += String(chunk);
    if (until !== undefined && answer.includes(until)) break;
  }
  socket.destroy();
  return answer;
}

const upgrade = (path: string, protocol = 'websocket') =>
  `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;

test('requests below the path are answered as they came, others as ever', async () => {
  const get = (path: string) => say(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  expect(await get('/m/a%2fb?x')).toContain('answered true');
  expect(await get('/healthz')).toContain('"status":"ok"');
  expect(await get('/mm')).toContain('401');
  expect(await get('/m/fails')).toBe('');
  expect(seen).toEqual(['GET /a%2fb?x', 'GET /fails']);
});

test('a connection is handed over with what came behind the head', async () => {
  const answer = await say(`${upgrade('/m/ws')}first`, 'first');
  expect(answer).toContain('101 Switching Protocols');
  expect(await say(upgrade('/m/fails'))).toBe('');
  expect(seen).toEqual(['upgrade /ws', 'upgrade /fails']);
});

test('elsewhere an offer of another protocol is ignored, with all that comes behind it', async () => {
  const body = 'GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
  const answer = await say(`${upgrade('/healthz', 'h2c')}${body}`);
  expect(answer.match(/"status":"ok"/g)).toHaveLength(2);
  expect(answer).not.toContain('101');
  const post =
    'POST /v1/sandboxes HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nContent-Length: 2\r\n\r\n{}';
  expect(await say(post)).toContain('401 Unauthorized');
});

test('a stop cuts connections that were handed over', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(upgrade('/m/ws'));
  await once(socket, 'data');
  const closed = once(socket, 'close');
  const startedAt = performance.now();
  await server.close(5_000);
  await closed;
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
