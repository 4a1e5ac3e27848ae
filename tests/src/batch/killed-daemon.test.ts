import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  expectNothingLeft,
  namelessFiles,
  openSocket,
  useDaemon,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();

/** Sends a batch slowly, so that the daemon is in the middle of it for about 2 s. */
async function writeSlowly(id: string, at: string, mode: string, text: string): Promise<void> {
  const socket = await openSocket(used.daemon.url);
  socket.write(
    `POST /v1/sandboxes/${id}/fs/batch/write?mode=${mode} HTTP/1.1\r\nHost: x\r\n` +
      `X-API-Key: ${used.api.apiKey}\r\nContent-Length: 100000000\r\n\r\n`,
  );
  for (let index = 0; index < 200 && !socket.destroyed; index++) {
    socket.write(`${JSON.stringify({ path: `${at}/${index}`, content: text })}\n`);
    await sleep(10);
  }
}

test('kill -9 in the middle: every file is whole old or whole new, and nothing else is left', async () => {
  const { api, daemon } = used;
  const sandboxes = await Promise.all(
    daemon.isolations.map((isolation) => api.create({ isolation })),
  );
  const old = 'o'.repeat(30_000);
  const fresh = 'n'.repeat(40_000);
  for (const { id } of sandboxes)
    for (const mode of ['each', 'all'])
      for (let index = 0; index < 200; index += 2)
        await api.write(id, `/workspace/${mode}/${index}`, old);
  const sending = sandboxes.flatMap(({ id }) =>
    ['each', 'all'].map((mode) => writeSlowly(id, `/workspace/${mode}`, mode, fresh)),
  );
  // In the middle of it in every sandbox: new files of the one batch are there, of the other none.
  for (const { id } of sandboxes)
    await waitFor(async () => (await api.statAnswer(id, '/workspace/each/1')).status === 200);
  await waitFor(() => namelessFiles(daemon.pid).length >= 20);
  await daemon.kill9();
  await Promise.all(sending);
  await daemon.restart();
  for (const { id } of sandboxes) {
    let written = 0;
    for (const mode of ['each', 'all'])
      for (const { name, size } of await used.api.entries(id, `/workspace/${mode}`)) {
        const text = (await used.api.read(id, `/workspace/${mode}/${name}`)).toString();
        expect(text.length).toBe(size);
        if (mode === 'all') expect(text).toBe(old);
        else expect([old, fresh]).toContain(text);
        if (text === fresh) written += 1;
      }
    expect(written).toBeGreaterThan(0);
    await expectNothingLeft(used, id);
  }
});
