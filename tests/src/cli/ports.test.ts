import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import { exchange, isolationsHere, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { startEchoServer } from '../ports/echo-server.ts';
import { statusOf } from '../ports/status-of.ts';
import { startWebServer } from '../ports/web-server.ts';
import { runSandport } from './run-sandport.ts';

const used = useDaemon();
const [isolation = 'container'] = await isolationsHere();
const made = useSandbox(used, isolation);
beforeAll(async () => {
  await startWebServer(used.api, made.id, 3000);
  await startEchoServer(used.api, made.id);
});

test('the command line lists, exposes and prints addresses', async () => {
  const { id } = made;
  const exposed = await runSandport(used, ['ports', 'expose', id, '3000', '--public']);
  const url = exposed.stdout.toString().trim();
  expect(await statusOf(url)).toBe(200);
  const listed = await runSandport(used, ['ports', 'ls', id]);
  expect(listed.stdout.toString()).toMatch(/\n3000 +yes +exposed +public +- +http:/);
  expect((await runSandport(used, ['ports', 'rm', id, '3000'])).exitCode).toBe(0);
  const link = await runSandport(used, ['preview-url', id, '3000', '--json']);
  expect(await statusOf(JSON.parse(link.stdout.toString()).url)).toBe(200);
  const refused = await runSandport(used, ['ports', 'expose', id, '70000']);
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('65535')]);
});

test('sandport port-forward carries any protocol', async () => {
  const bytes = randomBytes(300_000);
  const args = ['port-forward', made.id, ':7000', ':3000', '--json'];
  const forwarded = await runSandport(used, args, {
    interrupt: async (output) => {
      const lines = await waitFor(
        () => {
          const told = output().trim().split('\n');
          return told.length === 2 && told;
        },
        { timeoutMs: 20_000, what: 'the ports' },
      );
      const [echo, web] = lines.map((line) => Number(JSON.parse(line).local));
      const socket: Duplex = connect({ host: '127.0.0.1', port: echo ?? 0, allowHalfOpen: true });
      socket.end(bytes);
      expect((await buffer(socket)).equals(bytes)).toBe(true);
      const answer = await exchange(`http://127.0.0.1:${web}`, { path: '/echo' });
      expect(answer.status).toBe(200);
    },
  });
  expect(forwarded.exitCode).toBe(130);
  expect(forwarded.stderr).not.toMatch(/\n\s+at /);
});
