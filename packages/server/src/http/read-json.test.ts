import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { SandportFault } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { Exchange } from './exchange.ts';
import { readText } from './read-json.ts';

/** What `readText` makes of a request that is sent piece by piece; the code of the error it throws. */
async function read(
  pieces: string[],
  { limitBytes = 100, idleTimeoutMs = 10_000, roomBytes = 100, cut = false },
): Promise<string> {
  const server = createServer();
  const result = new Promise<string>((resolve) => {
    server.on('request', (request, response) => {
      const exchange = new Exchange(request, response);
      let heldBytes = 0;
      exchange.held = {
        take: (bytes: number) => {
          heldBytes += bytes;
          if (heldBytes > roomBytes) throw new SandportFault('limit_reached', 'no room');
        },
      };
      readText(exchange, limitBytes, idleTimeoutMs).then(resolve, (error: unknown) =>
        resolve(error instanceof SandportFault ? error.code : String(error)),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server of TCP has an address of this kind.
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  try {
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (cut) socket.destroy();
    return await result;
  } finally {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  }
}

const head = (field: string) => `POST / HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\n`;

test('a body comes in pieces, of any encoding of HTTP', async () => {
  expect(await read([head('Content-Length: 6'), '{"a', '":1'], {})).toBe('{"a":1');
  const chunks = ['3\r\n{"a\r\n', '3\r\n":1\r\n', '0\r\n\r\n'];
  expect(await read([head('Transfer-Encoding: chunked'), ...chunks], {})).toBe('{"a":1');
  expect(await read([head('Content-Length: 0')], {})).toBe('');
});

test('a body that is too large is given up, whether it says so or not', async () => {
  expect(await read([head('Content-Length: 101')], {})).toBe('payload_too_large');
  const chunk = `65\r\n${'x'.repeat(101)}\r\n`;
  expect(await read([head('Transfer-Encoding: chunked'), chunk], {})).toBe('payload_too_large');
});

test('a body that does not come, ends early, or has no room, is given up', async () => {
  const begun = [head('Content-Length: 50'), '{"a":'];
  expect(await read(begun, { idleTimeoutMs: 50 })).toBe('request_timeout');
  expect(await read(begun, { cut: true })).toBe('incomplete_body');
  expect(await read(begun, { roomBytes: 4 })).toBe('limit_reached');
});

test('a body that is not UTF-8 is refused, one with U+FFFD is not', async () => {
  expect(await read([head('Content-Length: 3'), '\uFFFD'], {})).toBe('\uFFFD');
  const torn = `${head('Transfer-Encoding: chunked')}1\r\n`;
  expect(await read([torn, '\u00e9\r\n0\r\n\r\n'], {})).not.toBe('é');
});
