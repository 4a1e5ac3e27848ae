import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  expectNothingLeft,
  filePath,
  namelessFiles,
  openSocket,
  useDaemon,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();

test('SIGTERM during an upload, a download and a command: ends within 10 s, nothing is lost', async () => {
  const { api, daemon } = used;
  const sandboxes = await Promise.all(
    daemon.isolations.map((isolation) => api.create({ isolation, name: `stop-${isolation}` })),
  );
  const old = randomBytes(300_000);
  for (const { id } of sandboxes) await api.write(id, '/workspace/target', old);
  const commands = sandboxes.map(({ id }) =>
    api
      .sendJson('POST', `/v1/sandboxes/${id}/exec`, {
        cmd: 'sleep 7; echo done > /workspace/effect',
      })
      .catch((error: unknown) => error),
  );
  const sockets = await Promise.all(
    sandboxes.map(async ({ id }) => {
      const socket = await openSocket(daemon.url);
      const path = filePath(id, '', '/workspace/target');
      socket.write(
        `PUT ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${daemon.apiKey}\r\nContent-Length: 900000\r\n\r\nbegin`,
      );
      return socket;
    }),
  );
  // One that ends in time is finished.
  const finishing = await openSocket(daemon.url);
  let answer = '';
  finishing.on('data', (part) => (answer += part.toString()));
  const inTime = filePath(sandboxes[0]?.id ?? '', '', '/workspace/in-time');
  finishing.write(
    `PUT ${inTime} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${daemon.apiKey}\r\nContent-Length: 10\r\n\r\n12345`,
  );
  await waitFor(() => namelessFiles(daemon.pid).length === sockets.length + 1);

  const stopping = daemon.stop();
  finishing.write('67890');
  expect(await stopping).toBeLessThan(10_000);
  expect(answer).toMatch(/^HTTP\/1.1 200 [^]*"bytes":10/);
  for (const socket of [...sockets, finishing]) socket.destroy();
  await Promise.all(commands);
  expect((await daemon.log()).map(({ msg }) => msg)).toContain('stopped');

  await daemon.start();
  for (const before of sandboxes) {
    expect(await used.api.get(before.id)).toEqual(before);
    expect((await used.api.read(before.id, '/workspace/target')).equals(old)).toBe(true);
    expect((await used.api.exec(before.id, 'echo adopted')).stdout).toBe('adopted\n');
    await expectNothingLeft(used, before.id);
  }
  expect((await used.api.read(sandboxes[0]?.id ?? '', '/workspace/in-time')).toString()).toBe(
    '1234567890',
  );
});

test('client.json is for its owner only, and the key outlives restarts', async () => {
  const file = join(used.daemon.dataDir, 'client.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const before = used.daemon.apiKey;
  const made = await used.api.newKey({ label: 'kept' });
  await used.daemon.restart();
  expect(used.daemon.apiKey).toBe(before);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const answer = await used.api.send('GET', '/v1/keys', {
    headers: { Authorization: `Bearer ${made.api.apiKey}` },
  });
  expect(answer.status).toBe(200);
});

test('volumes and sandboxes that mount them survive a restart', async () => {
  const { daemon } = used;
  for (const isolation of daemon.isolations) {
    const volumes = [{ name: `v-${isolation}` }, { name: `ro-${isolation}`, read_only: true }];
    const { id } = await used.api.create({ isolation, volumes });
    await used.api.write(id, `/mnt/v-${isolation}/before`, 'before');
    await daemon.restart();
    expect((await used.api.read(id, `/mnt/v-${isolation}/before`)).toString()).toBe('before');
    await used.api.write(id, `/mnt/v-${isolation}/after`, 'after');
    const seen = await used.api.exec(
      id,
      `cat /mnt/v-${isolation}/before /mnt/v-${isolation}/after`,
    );
    expect(seen.stdout).toBe('beforeafter');
    expect((await used.api.put(id, `/mnt/ro-${isolation}/x`, 'x')).status).toBe(403);
  }
});
