import { connect } from 'node:net';
import type { Engine } from '@sandport/engine';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HttpServer } from '../server.ts';
import { refuseForeignOrigin } from './origin.ts';
import { Query } from './query.ts';
import { upgradeKeyOf } from './upgrade-key-of.ts';
import { keepAlive } from './web-socket/keep-alive.ts';

const keyOf = (headers: Record<string, string>, query = '') => {
  const request = { headers } as unknown as Parameters<typeof upgradeKeyOf>[0]['request'];
  return upgradeKeyOf({ request, query: new Query(query) });
};

test('a key comes by header, subprotocol or query, in this order', () => {
  expect(keyOf({})).toBeUndefined();
  expect(keyOf({}, 'access_token=q')).toBe('q');
  const protocol = { 'sec-websocket-protocol': 'first, bearer.p' };
  expect(keyOf(protocol, 'access_token=q')).toBe('p');
  expect(keyOf({ ...protocol, authorization: 'Bearer h' }, 'access_token=q')).toBe('h');
  expect(keyOf({ ...protocol, 'x-api-key': 'h' })).toBe('h');
});

test('pages of the daemon, and of allowed origins, may open a connection', () => {
  const refused = (origin: string | undefined, host = 'h:1', allowed: string[] = []) => {
    try {
      refuseForeignOrigin({ host, ...(origin === undefined ? {} : { origin }) }, allowed);
      return false;
    } catch {
      return true;
    }
  };
  expect(refused(undefined)).toBe(false);
  expect(refused('http://h:1')).toBe(false);
  expect(refused('https://h:1')).toBe(false);
  expect(refused('https://a.example', 'h', ['https://a.example'])).toBe(false);
  for (const origin of ['null', '', 'http://h', 'http://h:12', 'http://h:1.example', 'ftp://h:1'])
    expect(refused(origin)).toBe(true);
});

// Nothing here gets as far as the engine, but where a test says what it does.
const engine = {
  keys: { authenticate: (key: string) => (key === 'good' ? { keyId: 'k' } : undefined) },
  held: { share: () => ({ [Symbol.dispose]: () => {} }) },
  sandboxes: {
    get: () => {
      throw new Error('as if by mistake');
    },
  },
} as unknown as Engine;
let server: HttpServer;
let port: number;
beforeEach(async () => {
  server = new HttpServer({ engine, logger: pino({ level: 'silent' }), version: '1' });
  ({ port } = await server.listen('127.0.0.1', 0));
});
afterEach(() => server.close(100));

/** All that comes back until the daemon ends the connection. */
async function say(head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(head);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

const handshake = (query: string, more = '') =>
  `GET /v1/sandboxes/x/exec/ws${query} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;

test.each([
  ['without a key', '', '', 401, 'unauthorized'],
  ['with a bad key', '?access_token=bad', '', 401, 'unauthorized'],
  ['of a foreign page', '?access_token=good', 'Origin: http://x\r\n', 403, 'origin_not_allowed'],
  ['with a bad query', '?%zz', '', 400, 'invalid_request'],
  ['that meets a mistake', '?access_token=good', '', 500, 'internal'],
])('a handshake %s is answered, and the connection ends', async (_, query, more, status, code) => {
  const answer = await say(handshake(query, more));
  expect(answer).toContain(`HTTP/1.1 ${status} `);
  expect(answer).toContain(`"code":"${code}"`);
  expect(answer).toContain('Connection: close');
});

test('another protocol than WebSocket is not taken up: the route is answered plainly', async () => {
  const offer = handshake('?x').replace('Upgrade: websocket', 'Upgrade: h2c');
  const plain = offer.replace('Connection: Upgrade', 'Connection: Upgrade, close');
  expect(await say(plain.replace('Host: h', 'Host: h\r\nX-API-Key: good'))).toContain(' 426 ');
});

test('a client that answers no ping is cut off after the second', () => {
  vi.useFakeTimers();
  try {
    const heard = new Map<string, () => void>();
    const socket = {
      isPaused: false,
      ping: vi.fn(),
      terminate: vi.fn(),
      on(event: string, listener: () => void) {
        heard.set(event, listener);
        return this;
      },
      once: (event: string, listener: () => void) => heard.set(event, listener),
    };
    keepAlive(socket as unknown as Parameters<typeof keepAlive>[0], 1_000);
    vi.advanceTimersByTime(2_000);
    heard.get('pong')?.();
    vi.advanceTimersByTime(2_000);
    expect(socket.terminate).not.toHaveBeenCalled();
    socket.isPaused = true;
    vi.advanceTimersByTime(1_000);
    expect(socket.terminate).toHaveBeenCalledOnce();
    heard.get('close')?.();
    vi.advanceTimersByTime(10_000);
    expect(socket.terminate).toHaveBeenCalledOnce();
  } finally {
    vi.useRealTimers();
  }
});
