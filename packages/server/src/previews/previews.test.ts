import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  apiKey,
  bodyOf,
  PreviewedProgram,
  sandbox,
  statusOf,
  tokens,
} from './testing/previewed-program.ts';

const box = new PreviewedProgram();
beforeAll(() => box.start());
afterAll(() => box[Symbol.asyncDispose]());
beforeEach(() => {
  box.visibility = 'private';
  box.connected.length = 0;
  box.answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
});

const key = `X-API-Key: ${apiKey}`;
const byKey = (target: string, fields: readonly string[] = [key]) =>
  box.raw([`GET ${target} HTTP/1.1`, `Host: ${box.host}`, 'Connection: close', ...fields]);
/** The program keeps what it gets and answers. */
function remember(): { head: string } {
  const seen = { head: '' };
  box.program = (socket) => {
    socket.on('data', (chunk) => {
      seen.head += chunk;
      if (seen.head.includes('\r\n\r\n'))
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  };
  return seen;
}

describe('the address of a port lets in', () => {
  test.each([
    ['nobody without a link', [], 401],
    ['a key', [key], 200],
    ['a bearer key', [`Authorization: Bearer ${apiKey}`], 200],
    ['no wrong key', ['X-API-Key: sp_wrong'], 401],
    ['a link in the cookie', [`Cookie: a=b; __sandport_preview=${tokens.all}`], 200],
    ['no link to another port', [`Cookie: __sandport_preview=${tokens.other}`], 401],
    ['no forged link', ['Cookie: __sandport_preview=all.forged'], 401],
    ['no link that has expired', ['Cookie: __sandport_preview=old.signed'], 401],
  ])('%s', async (_name, fields, status) => {
    expect(statusOf(await box.toHost(fields))).toBe(status);
    expect(box.connected).toHaveLength(status === 200 ? 1 : 0);
  });

  test('everybody, when it is public; else an unknown port looks as a private one', async () => {
    box.visibility = 'public';
    expect(statusOf(await box.toHost([]))).toBe(200);
    box.visibility = undefined;
    const unknown = await box.toHost([]);
    box.visibility = 'private';
    expect(bodyOf(await box.toHost([]))).toBe(bodyOf(unknown));
  });

  test.each([
    ['a page of another origin', ['Origin: http://evil.localhost:1'], 403],
    ['another preview', ['Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: cors'], 403],
    ['a link on another page', ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate'], 200],
    ['its own pages', [`Origin: http://3000-${sandbox}.localhost:1`], 200],
  ])('by the cookie: %s', async (_name, fields, status) => {
    const cookie = `Cookie: __sandport_preview=${tokens.all}`;
    expect(statusOf(await box.toHost([cookie, ...fields]))).toBe(status);
  });

  test('one of several cookies: pages of other hosts can set them, too', async () => {
    const cookies = [tokens.other, 'forged', 'old.signed', tokens.all].map(
      (token) => `__sandport_preview=${token}`,
    );
    expect(statusOf(await box.toHost([`Cookie: ${cookies.join('; ')}`]))).toBe(200);
    expect(statusOf(await box.toHost([`Cookie: ${cookies.slice(0, 3).join('; ')}`]))).toBe(401);
  });

  test('a browser with a link, which becomes a cookie and leaves the address', async () => {
    const answer = await box.toHost(['Accept: text/html'], `//evil.com/?a=1&token=${tokens.all}&b`);
    expect(statusOf(answer)).toBe(303);
    expect(answer).toContain('\r\nLocation: /evil.com/?a=1&b\r\n');
    expect(answer).toMatch(
      /Set-Cookie: __sandport_preview=all.signed; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax\r\n/,
    );
    expect(box.connected).toEqual([]);
  });

  test('a program with a link, which the server does not see', async () => {
    const seen = remember();
    expect(statusOf(await box.toHost([], `/?token=${tokens.all}&token=own`))).toBe(200);
    expect(seen.head).toMatch(/^GET \/\?token=own HTTP/);
  });

  test('a link to the paths it is for', async () => {
    const cookie = `Cookie: __sandport_preview=${tokens.paths}`;
    for (const [target, status] of [
      ['/docs', 200],
      ['/docs/x?y=/z', 200],
      ['/a%20b/c', 200],
      ['/docsx', 403],
      ['/', 403],
      ['/docs/../secret', 403],
      ['/docs/%2e%2e/secret', 403],
      ['/docs/..%2fsecret', 403],
      ['/docs/%252e%252e/secret', 403],
      ['/docs/..;/secret', 403],
      ['/docs\\..\\secret', 403],
      ['//docs', 403],
      ['/docs/%ff', 403],
    ] as const)
      expect([target, statusOf(await box.toHost([cookie], target))]).toEqual([target, status]);
  });
});

test.each(['http://169.254.169.254/', '*'])('the target %s is no path', async (target) => {
  expect(statusOf(await box.toHost([key], target, 'OPTIONS'))).toBe(400);
  expect(box.connected).toEqual([]);
});

test('other hosts are not previews', async () => {
  for (const host of [
    `3000-${sandbox}.evil.com`,
    `3000-${sandbox}.localhost.evil.com`,
    `03000-${sandbox}.localhost`,
    `70000-${sandbox}.localhost`,
    `0-${sandbox}.localhost`,
    `x3000-${sandbox}.localhost`,
    'localhost',
  ])
    expect(
      statusOf(await box.raw(['GET /healthz HTTP/1.1', `Host: ${host}`, 'Connection: close'])),
    ).toBe(200);
  box.visibility = 'public';
  const host = `3000-${sandbox}.LOCALHOST:8420`.toUpperCase();
  const answer = await box.raw(['GET /healthz HTTP/1.1', `Host: ${host}`, 'Connection: close']);
  expect(bodyOf(answer)).toBe('ok');
});

describe('paths', () => {
  const path = `/v1/sandboxes/${sandbox}/proxy`;

  test.each([
    [`${path}/3000/`, 200],
    [`${path}/3000`, 200],
    [`${path}/3000?x`, 200],
    [`${path}/3001/`, 502],
    [`${path}/0/`, 400],
    [`${path}/70000/`, 400],
    [`${path}/3000x/`, 400],
    [`/v1/p/${tokens.all}/x`, 200],
    [`/v1/p/${tokens.paths}/docs/`, 200],
    [`/v1/p/${tokens.paths}/other`, 403],
    [`/v1/p/old.signed/`, 401],
    [`/v1/p/x/`, 401],
  ])('%s', async (target, status) => {
    expect(statusOf(await byKey(target))).toBe(status);
  });

  test('with a key only', async () => {
    expect(statusOf(await byKey(`${path}/3000/`, []))).toBe(401);
    expect(statusOf(await byKey(`${path}/3000/?access_token=${apiKey}`, []))).toBe(401);
  });

  test('pages get an origin of their own, cookies and redirects stay below the path', async () => {
    box.answer(
      [
        'HTTP/1.1 302 Found',
        'Location: /login?x',
        'Set-Cookie: a=b; Domain=localhost; Path=/; HttpOnly',
        'Set-Cookie: c=d',
        'Set-Cookie: __sandport_preview=x',
        'Set-Cookie: =__sandport_preview=x',
        'Set-Cookie: __Host-x=y; Path=/; Secure',
        'Clear-Site-Data: "*"',
        'Service-Worker-Allowed: /',
        "Content-Security-Policy: default-src 'self'",
        'Content-Length: 0',
        '\r\n',
      ].join('\r\n'),
    );
    const answer = await byKey(`${path}/3000/`);
    expect(answer).toContain(`\r\nLocation: ${path}/3000/login?x\r\n`);
    expect(answer).toContain(`\r\nSet-Cookie: a=b; HttpOnly; Path=${path}/3000/\r\n`);
    expect(answer).toContain(`\r\nSet-Cookie: c=d; Path=${path}/3000/\r\n`);
    expect(answer).not.toMatch(/preview=x|__Host|Domain|Clear-Site|Worker/);
    expect(answer).toContain("\r\nContent-Security-Policy: default-src 'self'\r\n");
    expect(answer).toContain('\r\nContent-Security-Policy: sandbox ');
    expect(answer).not.toContain('allow-same-origin');
  });

  test.each(['http://169.254.169.254/', '//evil.com/', '/\\evil.com', '../x'])(
    'a redirect to %s is passed on, not followed',
    async (location) => {
      box.answer(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`);
      expect(await byKey(`${path}/3000/`)).toContain(`\r\nLocation: ${location}\r\n`);
      expect(box.connected).toHaveLength(1);
    },
  );
});

test('a server sees no credentials of the daemon, and the others', async () => {
  const seen = remember();
  await box.toHost(
    [
      key,
      `Authorization: Basic ${Buffer.from(`u:${apiKey}`).toString('base64')}`,
      `Cookie: a=b; __sandport_preview=${tokens.all}; __Host-sandport_x=1; c=d`,
      `Referer: http://${box.host}/v1/p/${tokens.all}/`,
      'X-Forwarded-For: 10.0.0.1',
      'X-Own: 1',
      'Connection: X-Hop, close',
      'X-Hop: 1',
      'Proxy-Authorization: x',
      'Accept-Encoding: br',
    ],
    `/a%2Fb/../%2e?access_token=${apiKey}&access_token=own&x=%20`,
  );
  expect(seen.head).toMatch(/^GET \/a%2Fb\/\.\.\/%2e\?access_token=own&x=%20 HTTP\/1\.1\r\n/);
  expect(seen.head).toContain(`\r\nHost: 3000-${sandbox}.localhost:1\r\n`);
  expect(seen.head).toContain('\r\nCookie: a=b; c=d\r\n');
  expect(seen.head).toContain('\r\nX-Own: 1\r\n');
  expect(seen.head).toContain('\r\nX-Forwarded-For: 10.0.0.1, 127.0.0.1\r\n');
  expect(seen.head).toContain('\r\nAccept-Encoding: br\r\n');
  expect(seen.head).not.toMatch(/sp_|signed|Referer|Hop|Proxy-Auth|sandport_x/);
});

test('a server gets its own keys', async () => {
  const seen = remember();
  box.visibility = 'public';
  await box.toHost(['Authorization: Bearer its-own', 'X-API-Key: its-own-too']);
  expect(seen.head).toContain('\r\nAuthorization: Bearer its-own\r\n');
  expect(seen.head).toContain('\r\nX-API-Key: its-own-too\r\n');
});

test('browsers get a page that says what is wrong', async () => {
  const answer = await byKey(`/v1/sandboxes/${sandbox}/proxy/3001/`, [key, 'Accept: text/html']);
  expect(statusOf(answer)).toBe(502);
  expect(answer).toContain('text/html');
  expect(answer).toContain('<p>Nothing on 3001.</p>');
  expect(answer).toContain('127.0.0.1');
});

describe('WebSockets', () => {
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];

  test('pass, without the key', async () => {
    let head = '';
    box.program = (socket) => {
      socket.on('data', (chunk) => {
        head += chunk;
        if (head.endsWith('\r\n\r\n'))
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst',
          );
        else if (head.endsWith('ping')) socket.end(' pong');
      });
    };
    const socket = box.open();
    const protocols = `Sec-WebSocket-Protocol: bearer.${apiKey}, chat`;
    const lines = [`GET /v1/sandboxes/${sandbox}/proxy/3000/ws HTTP/1.1`, `Host: ${box.host}`];
    socket.write(`${[...lines, ...upgrade, protocols].join('\r\n')}\r\n\r\n`);
    let seen = '';
    socket.on('data', (chunk) => {
      seen += chunk;
      if (seen.endsWith('first')) socket.write('ping');
    });
    await once(socket, 'close');
    expect(seen).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(bodyOf(seen)).toBe('first pong');
    expect(head).toMatch(/^GET \/ws HTTP/);
    expect(head).toContain('\r\nSec-WebSocket-Protocol: chat\r\n');
    expect(head).not.toContain(apiKey);
  });

  /** A connection on which each byte comes back. */
  async function echo(fields: readonly string[]) {
    box.program = (guest) => {
      guest.once('data', () => {
        guest.write('HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
        guest.on('data', (bytes) => guest.write(bytes));
      });
    };
    const socket = box.open();
    const lines = ['GET / HTTP/1.1', `Host: 3000-${sandbox}.localhost:1`, ...upgrade, ...fields];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    await once(socket, 'data');
    return {
      socket,
      answers: async () => {
        socket.write('x');
        return String((await once(socket, 'data'))[0]) === 'x';
      },
    };
  }

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test.each([
    ['the port is not public any more', [], () => (box.visibility = 'private')],
    [
      'the link ends',
      [`Cookie: __sandport_preview=${tokens.all}`],
      () => vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 7 * 86_400_000),
    ],
  ])('stay while nothing moves, until %s', async (_name, fields, end) => {
    box.visibility = fields.length === 0 ? 'public' : 'private';
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout'] });
    const { socket, answers } = await echo(fields);
    vi.advanceTimersByTime(7_200_000);
    expect(await answers()).toBe(true);
    end();
    vi.advanceTimersByTime(10_000);
    await once(socket, 'close');
  });

  test('with a body are requests as others are', async () => {
    const seen = remember();
    const lines = ['POST / HTTP/1.1', `Host: 3000-${sandbox}.localhost:1`, ...upgrade, key];
    const answer = await box.raw([...lines, 'Connection: close', 'Content-Length: 4'], 'body');
    expect(statusOf(answer)).toBe(200);
    expect(seen.head).not.toMatch(/Upgrade/i);
    expect(seen.head).toContain('\r\nContent-Length: 4\r\n');
  });

  test('of pages elsewhere do not, by the cookie', async () => {
    const cookie = `Cookie: __sandport_preview=${tokens.all}`;
    const lines = ['GET / HTTP/1.1', `Host: 3000-${sandbox}.localhost:1`, ...upgrade, cookie];
    expect(statusOf(await box.raw([...lines, 'Origin: http://evil.com']))).toBe(403);
    expect(box.connected).toEqual([]);
  });

  test('are refused as what they ask for is', async () => {
    box.answer('HTTP/1.1 418 No\r\nContent-Length: 2\r\nSet-Cookie: a=b; Domain=x\r\n\r\nno');
    const lines = ['GET / HTTP/1.1', `Host: 3000-${sandbox}.localhost:1`, ...upgrade, key];
    const answer = await box.raw(lines);
    expect(statusOf(answer)).toBe(418);
    expect(answer).toContain('\r\nSet-Cookie: a=b\r\n');
    box.answer('garbage\r\n\r\n');
    expect(statusOf(await box.raw(lines))).toBe(502);
    box.answer('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    const half = await box.raw(lines);
    expect(half).toContain('\r\nContent-Length: 100\r\n');
    expect(bodyOf(half)).toBe('half');
  });
});
