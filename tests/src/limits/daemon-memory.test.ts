import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  expectServing,
  filePath,
  onEachIsolation,
  openSocket,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();
const mebibyte = 2 ** 20;
/** What garbage that is not collected yet may take, beside the buffers of the connections. */
const allowedBytes = 64 * mebibyte;

const residentBytes = () =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${used.daemon.pid}/status`, 'utf8'))?.[1]) *
  1024;

/** Does it once to warm up, then again, and gives back the growth at the highest point. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  await work();
  const before = residentBytes();
  let highest = before;
  const timer = setInterval(() => (highest = Math.max(highest, residentBytes())), 10);
  await work();
  clearInterval(timer);
  return highest - before;
}

const request = (method: string, path: string, body = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${used.daemon.apiKey}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Sends requests and never reads an answer. */
async function unread(requests: readonly string[], durationMs: number): Promise<void> {
  const sockets: Socket[] = await Promise.all(requests.map(() => openSocket(used.daemon.url)));
  for (const [index, socket] of sockets.entries()) socket.pause().write(requests[index] ?? '');
  await sleep(durationMs);
  for (const socket of sockets) socket.resetAndDestroy();
}

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  test('a file is never in memory as a whole, in or out', async () => {
    const block = randomBytes(mebibyte);
    const transfer = async () => {
      const body = Readable.from(Array.from({ length: 200 }, () => block));
      expect((await used.api.put(box.id, '/tmp/large', body)).status).toBe(200);
      expect((await used.api.open(box.id, '/tmp/large')).body).toHaveLength(200 * mebibyte);
    };
    expect(await growth(transfer)).toBeLessThan(allowedBytes);
  });

  test('a client that does not read its download costs its buffers only', async () => {
    await used.api.exec(box.id, 'truncate -s 1G /tmp/sparse');
    const download = request('GET', filePath(box.id, '', '/tmp/sparse'));
    const requests = Array.from({ length: 10 }, () => download);
    expect(await growth(() => unread(requests, 1_000))).toBeLessThan(allowedBytes);
  });

  test('a command that writes without end to a client that does not read is held', async () => {
    const path = `/v1/sandboxes/${box.id}/exec/stream`;
    const requests = Array.from({ length: 5 }, () => request('POST', path, '{"cmd":"yes"}'));
    expect(await growth(() => unread(requests, 1_500))).toBeLessThan(allowedBytes);
    // They were ended with their clients.
    await expectServing(used, box.id);
  });

  test('output beyond the limit is thrown away as it comes', async () => {
    const flood = () => used.api.exec(box.id, 'head -c 120M /dev/zero', { max_output_bytes: 1000 });
    expect(await growth(flood)).toBeLessThan(allowedBytes);
  });
});
