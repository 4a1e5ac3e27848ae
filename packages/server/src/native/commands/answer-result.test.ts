import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { ExecResult } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { Exchange } from '../../http/exchange.ts';
import { answerResult } from './answer-result.ts';

async function answered(result: ExecResult): Promise<{ body: unknown; headers: Headers }> {
  const server = createServer((request, response) => {
    void answerResult(new Exchange(request, response), result);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    // A server of TCP has an address of this kind.
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    return { body: await answer.json(), headers: answer.headers };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const end = { exit_code: 0, duration_ms: 1 };

test('a long result is the same as JSON that is made at once', async () => {
  for (const [stdout, stderr] of [
    ['', ''],
    ['short', '"\\\n\0'],
    ['\0'.repeat(400_000), `x${'😀'.repeat(200_000)}`],
    [`${'é"'.repeat(65_536)}`, '\uFFFD'.repeat(100)],
  ] as const) {
    const result = { stdout, stderr, ...end, truncated: true };
    const { body, headers } = await answered(result);
    expect(body).toEqual(result);
    expect(headers.get('content-type')).toBe('application/json');
  }
});

test('a client that does not wait for the end of the answer is no error', async () => {
  const server = createServer();
  const answered = new Promise<void>((resolve, reject) => {
    server.on('request', (request, response) => {
      const result = { stdout: 'x'.repeat(30_000_000), stderr: '', ...end };
      answerResult(new Exchange(request, response), result).then(resolve, reject);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server of TCP has an address of this kind.
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  socket.destroy();
  await answered;
  server.close();
});
