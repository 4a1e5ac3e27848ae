import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { filePath, onEachIsolation, openSocket, useDaemon, useSandbox } from '../harness/index.ts';

const used = useDaemon();
const slowClients = 50;

const head = (method: string, path: string, apiKey: string, contentLength: number) =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${apiKey}\r\nContent-Length: ${contentLength}\r\n\r\n`;

/** Sends one byte a second on every socket until it is told to stop. */
function drip(sockets: readonly Socket[]): () => void {
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('x');
  }, 1_000);
  return () => clearInterval(timer);
}

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  test('many clients that send and read a byte a second do not slow down the others', async () => {
    const { api, daemon } = used;
    await api.exec(box.id, 'head -c 50M /dev/zero > /workspace/large');
    const put = head('PUT', filePath(box.id, '', '/workspace/slow'), daemon.apiKey, 1000);
    const tar = head('PUT', filePath(box.id, '/archive', '/workspace/in'), daemon.apiKey, 1000);
    const get = head('GET', filePath(box.id, '', '/workspace/large'), daemon.apiKey, 0);
    const sockets: Socket[] = [];
    for (let number = 0; number < slowClients; number += 1) {
      const socket = await openSocket(daemon.url);
      socket.write([put, tar, get][number % 3] ?? put);
      if (number % 3 === 2) socket.pause();
      sockets.push(socket);
    }
    const stop = drip(sockets.filter((_, index) => index % 3 !== 2));
    try {
      const times: number[] = [];
      for (let round = 0; round < 100; round += 1) {
        const startedAt = performance.now();
        await api.write(box.id, '/workspace/quick', `round ${round}`);
        expect((await api.read(box.id, '/workspace/quick')).toString()).toBe(`round ${round}`);
        times.push(performance.now() - startedAt);
        await sleep(20);
      }
      // The median: whatever else the machine does hits single rounds.
      expect(times.sort((a, b) => a - b)[50]).toBeLessThan(200);
    } finally {
      stop();
      for (const socket of sockets) socket.resetAndDestroy();
    }
    expect(await api.names(box.id, '/workspace')).not.toContain('slow');
  });
});
