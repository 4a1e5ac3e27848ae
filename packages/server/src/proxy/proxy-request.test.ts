import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  apiKey,
  bodyOf,
  PreviewedProgram,
  sandbox,
  statusOf,
} from '../previews/testing/previewed-program.ts';

const box = new PreviewedProgram();
beforeAll(() => box.start());
afterAll(() => box[Symbol.asyncDispose]());
beforeEach(() => {
  box.visibility = 'public';
  box.connected.length = 0;
});

const get = (fields: readonly string[] = []) => box.toHost(fields);

/** The program gets all of a request, answers, and keeps its connection. */
function collect(answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'): { text: string } {
  const seen = { text: '' };
  box.program = (socket) => {
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      const before = seen.text;
      seen.text += chunk;
      if (before === '') socket.write(answer);
    });
  };
  return seen;
}

describe('what answers', () => {
  test.each([
    ['nothing', ''],
    ['garbage', 'garbage\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'X-A: y\r\n'.repeat(20_000)}\r\n`],
    ['a flood of 1xx', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000)],
    ['101 unasked', 'HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'],
    ['a bare line end', 'HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b\r\rY: c\r\n\r\n'],
    ['a status of 4 digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ])('with %s is answered with 502', async (_name, answer) => {
    box.answer(answer);
    const answered = await get();
    expect(statusOf(answered)).toBe(502);
    expect(JSON.parse(bodyOf(answered))).toMatchObject({ code: 'bad_port_answer', port: 3000 });
    expect(answered).not.toMatch(/Set-Cookie|X-A/);
  });

  test('at random is answered, and the server goes on', async () => {
    const piece = fc.oneof(
      fc.constantFrom('HTTP/1.1 ', '200', ' OK', '\r\n', '\r\n\r\n', 'Content-Length: ', '5', ':'),
      fc.constantFrom('Transfer-Encoding: chunked', 'Connection: content-length', '\n', '\0', '0'),
      fc.string({ maxLength: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        box.answer(`HTTP/1.1 200 OK\r\n${pieces.join('')}`);
        const answer = await get();
        expect([200, 502]).toContain(statusOf(answer));
        // What a client takes for a second answer must not come.
        if (statusOf(answer) === 502) expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      }),
      { numRuns: 100 },
    );
    box.answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(bodyOf(await get())).toBe('ok');
  });

  test('and breaks off breaks the answer', async () => {
    box.answer('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    expect(bodyOf(await get())).toBe('half');
  });

  test('with fields several times, hints and trailers is passed on', async () => {
    box.answer(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n' +
        'HTTP/1.1 201 Made\r\nX-A: 1\r\nX-A: 2\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n' +
        '2\r\nok\r\n0\r\nX-Sum: 5\r\nSet-Cookie: a=b\r\n\r\n',
    );
    const answer = await get();
    expect(answer).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n/);
    expect(answer).toContain('HTTP/1.1 201 Made\r\nX-A: 1\r\nX-A: 2\r\n');
    expect(answer).toMatch(/2\r\nok\r\n0\r\nX-Sum: 5\r\n\r\n$/);
  });

  test('in chunks is whole for a client of HTTP/1.0, which knows none', async () => {
    box.answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
    const answer = await box.raw(['GET / HTTP/1.0', `Host: 3000-${sandbox}.localhost`]);
    expect(bodyOf(answer)).toBe('ok');
    expect(answer).not.toMatch(/chunked/i);
  });

  test('to HEAD and without a body is passed on', async () => {
    box.answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    expect(await box.toHost([], '/', 'HEAD')).toMatch(/Content-Length: 9\r\n[^]*\r\n\r\n$/);
    box.answer('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n');
    expect(await get()).toMatch(/^HTTP\/1\.1 304 Not Modified\r\nETag: "a"\r\n/);
  });

  test('with a head and nothing else yet is seen at once', async () => {
    box.program = (socket) =>
      void socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n'));
    const socket = box.open();
    socket.write(`GET / HTTP/1.1\r\nHost: 3000-${sandbox}.localhost\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toContain('X-A: b\r\n');
    socket.destroy();
  });
});

describe('a request', () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'])(
    'with %s and a body goes on as it is',
    async (method) => {
      const seen = collect();
      const answer = await box.toHost(['Content-Length: 4'], '/x', method, 'body');
      if (method === 'QUERY' && statusOf(answer) === 400) return;
      expect(bodyOf(answer)).toBe('ok');
      expect(seen.text).toMatch(new RegExp(`^${method} /x HTTP/1.1\r\n`));
      expect(seen.text).toMatch(/\r\nContent-Length: 4\r\n[^]*\r\n\r\nbody$/);
    },
  );

  test('in chunks, with trailers', async () => {
    const seen = { text: '' };
    box.program = (socket) => {
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        seen.text += chunk;
        if (seen.text.includes('\r\n0\r\n')) socket.end('HTTP/1.1 200 OK\r\n\r\nok');
      });
    };
    const fields = ['Transfer-Encoding: chunked', 'Trailer: X-Sum'];
    await box.toHost(fields, '/', 'POST', '4\r\nbody\r\n0\r\nX-Sum: 5\r\nCookie: no\r\n\r\n');
    expect(seen.text).toMatch(/\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 5\r\n\r\n$/);
  });

  test.each([
    [['Content-Length: 4', 'Transfer-Encoding: chunked'], 400],
    [['Content-Length: 4', 'Content-Length: 5'], 400],
    [['Transfer-Encoding: xchunked'], 400],
    [['Transfer-Encoding : chunked'], 400],
    [['Transfer-Encoding: gzip, chunked'], 400],
    [['Transfer-Encoding: chunked, gzip'], 400],
  ])('framed by %j is none', async (fields, status) => {
    const seen = collect();
    const smuggled = '0\r\n\r\nGET /secret HTTP/1.1\r\nHost: x\r\n\r\n';
    expect(statusOf(await box.toHost(fields, '/', 'POST', smuggled))).toBe(status);
    expect(seen.text).not.toContain('secret');
  });

  test('keeps its length whatever it says of its connection', async () => {
    const seen = collect();
    const hidden = 'GET /secret HTTP/1.1\r\nHost: x\r\n\r\n';
    await box.raw(
      [
        'GET /open HTTP/1.1',
        `Host: 3000-${sandbox}.localhost`,
        'Connection: close, Content-Length, Host, Transfer-Encoding',
        `Content-Length: ${hidden.length}`,
      ],
      hidden,
    );
    expect(seen.text).toContain(`\r\nContent-Length: ${hidden.length}\r\n`);
    expect(seen.text).toContain(`\r\nHost: 3000-${sandbox}.localhost\r\n`);
  });

  test('waits with its body until the server asks for it', async () => {
    box.program = (socket) => {
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
        if (text.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        if (text.endsWith('body')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    };
    const sent = send({ 'Content-Length': 4, Expect: '100-continue' });
    await once(sent, 'continue');
    sent.end('body');
    expect(await answerOf(sent)).toBe('200 ok');
  });

  test('keeps its body when the server does not want it', async () => {
    box.answer('HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno');
    const sent = send({ 'Content-Length': 4, Expect: '100-continue' });
    let isAsked = false;
    sent.once('continue', () => {
      isAsked = true;
    });
    sent.flushHeaders();
    expect(await answerOf(sent)).toBe('417 no');
    expect(isAsked).toBe(false);
    sent.destroy();
  });

  test('that a server answers before it has read it has its answer', async () => {
    box.program = (socket) => {
      socket.once('data', () => {
        socket.end('HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno');
      });
    };
    const sent = send({ 'Content-Length': 8 * 1024 * 1024 });
    sent.end(Buffer.alloc(8 * 1024 * 1024));
    expect(await answerOf(sent)).toBe('413 no');
  });

  test('whose client leaves is left', async () => {
    let closed = false;
    box.program = (socket) => void socket.resume().once('close', () => (closed = true));
    const sent = send({ 'Content-Length': 100 });
    sent.write('x');
    await expect.poll(() => box.connected.length).toBe(1);
    await sleep(20);
    sent.destroy();
    await expect.poll(() => closed).toBe(true);
  });
});

function send(headers: Record<string, string | number>) {
  const host = `3000-${sandbox}.localhost`;
  const [hostname, port] = box.host.split(':');
  const fields = { ...headers, Host: host, 'X-API-Key': apiKey };
  const sent = request({ hostname, port, method: 'POST', headers: fields, agent: false });
  sent.on('error', () => undefined);
  return sent;
}

async function answerOf(sent: ReturnType<typeof send>): Promise<string> {
  const [answer]: [IncomingMessage] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return `${answer.statusCode} ${text}`;
}
