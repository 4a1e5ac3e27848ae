import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { snapshotSchema } from '@sandport/protocol';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type CreatedSandbox,
  type UsedDaemon,
  useDaemon,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';

const rounds = 4;
/** A kill comes at a random moment within so many milliseconds of the first request. */
const latestKillMs = 900;

for (const storage of ['overlay', 'btrfs'])
  describe(storage, () => {
    const used = useDaemon({ args: ['--storage', storage, '--storage-pool-gb', '4'] });

    test('kill -9 at random moments: everything is whole or gone, and nothing is left', async () => {
      for (let round = 0; round < rounds; round++) {
        const delayMs = randomInt(latestKillMs);
        await killInTheMiddle(used, storage, delayMs).catch((error: unknown) => {
          throw new Error(`round ${round}, killed after ${delayMs} ms`, { cause: error });
        });
      }
      await used.daemon.killSandboxes();
      for (const { id } of await snapshots(used))
        await used.api.send('DELETE', `/v1/snapshots/${id}`);
      await waitForOnly(used.daemon, []);
    });
  });

/** Begins every kind of change at once, kills the daemon, and looks at what the next one makes of it. */
async function killInTheMiddle(used: UsedDaemon, storage: string, delayMs: number): Promise<void> {
  const kept = (await Promise.all(used.daemon.isolations.map((each) => settle(used, each)))).flat();
  const work = kept
    .flatMap(({ id, isolation }, index) => changes(used, id, isolation, index))
    .map((each) => each.catch(() => undefined));
  await sleep(delayMs);
  await used.daemon.kill9();
  const answers = await Promise.all(work);
  await used.daemon.start();
  const listed = await used.api.list();
  const snapshotIds = (await snapshots(used)).map(({ id }) => id);
  await waitForOnly(used.daemon, [...listed.map(({ id }) => id), ...snapshotIds]);
  if (storage === 'btrfs')
    await waitFor(() => poolEntries(used).length === listed.length + snapshotIds.length, {
      what: 'a pool with one disk for each sandbox and snapshot',
    });
  for (const answer of answers.filter((each) => each?.status === 201)) {
    const made = z
      .looseObject({ id: z.string().optional() })
      .parse(JSON.parse((answer?.body ?? '').toString()));
    if (made.id !== undefined)
      expect([...listed.map(({ id }) => id), ...snapshotIds]).toContain(made.id);
  }
  const deleted = kept.filter((_, index) => index % 4 === 3).map(({ id }) => id);
  for (const { id } of kept)
    if (!deleted.includes(id)) expect(listed.map((each) => each.id)).toContain(id);
  for (const sandbox of listed) await expectWhole(used, sandbox);
  for (const id of snapshotIds) {
    const from = await used.api.create({ from_snapshot: id });
    await expectWhole(used, from);
    await used.api.kill(from.id);
    await used.api.send('DELETE', `/v1/snapshots/${id}`);
  }
  for (const { id } of await used.api.list()) await used.api.kill(id);
}

/** Four sandboxes with a file that says so. */
async function settle(used: UsedDaemon, isolation: string): Promise<CreatedSandbox[]> {
  const made = await Promise.all(
    Array.from({ length: 4 }, () => used.api.create({ isolation, memory_mb: 128 })),
  );
  for (const { id } of made) await used.api.write(id, '/workspace/marker', marker);
  return made;
}

const marker = 'settled\n'.repeat(20_000);

/** One kind of change for each sandbox of an isolation. */
function changes(used: UsedDaemon, id: string, isolation: string, index: number) {
  const post = (path: string, body: unknown = {}) =>
    used.api.sendJson('POST', `/v1/sandboxes/${id}/${path}`, body);
  switch (index % 4) {
    case 0:
      return [post('hibernate').then(() => post('wake'))];
    case 1:
      return [post('fork', { count: 2 })];
    case 2:
      return [post('snapshots')];
    default:
      return [
        used.api.send('DELETE', `/v1/sandboxes/${id}`),
        used.api.sendJson('POST', '/v1/sandboxes', { isolation }),
      ];
  }
}

/** It runs commands, waking for them when it sleeps, and its file is there if it ever had one. */
async function expectWhole(used: UsedDaemon, { id }: CreatedSandbox): Promise<void> {
  const { stdout } = await used.api.exec(id, 'cat /workspace/marker 2>/dev/null; echo whole');
  expect([`${marker}whole\n`, 'whole\n']).toContain(stdout);
  expect((await used.api.get(id)).status).toBe('running');
}

const snapshots = async (used: UsedDaemon) =>
  z
    .array(snapshotSchema)
    .parse(JSON.parse((await used.api.send('GET', '/v1/snapshots')).body.toString()));

/** Disks on the btrfs pool of the daemon. */
const poolEntries = (used: UsedDaemon): string[] =>
  readdirSync(join(used.daemon.dataDir, 'pool')).filter((name) => name.startsWith('disk-'));
