import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  codeOf,
  type CreatedSandbox,
  expectNothingLeft,
  useDaemon,
  waitFor,
  waitForOnly,
} from '../harness/index.ts';

const used = useDaemon();

/** Counts in memory, and tells how far it is, until it is killed. */
const count =
  'i=0; while :; do i=$((i+1)); echo $i > /workspace/next; mv /workspace/next /workspace/count; sleep 0.05; done > /dev/null 2>&1 &';

const counted = async (id: string): Promise<number> =>
  Number((await used.api.read(id, '/workspace/count')).toString());

async function makeCounting(): Promise<CreatedSandbox[]> {
  const { api, daemon } = used;
  const made = await Promise.all(daemon.isolations.map((isolation) => api.create({ isolation })));
  for (const { id } of made) {
    await api.exec(id, count);
    await waitFor(async () => codeOf(await api.open(id, '/workspace/count')) === 'ok');
  }
  return made;
}

/** Hibernates and wakes until the daemon is gone. */
async function toAndFro(id: string): Promise<void> {
  for (;;) {
    await used.api.enter(id, 'hibernate');
    await sleep(randomInt(50));
    await used.api.wake(id);
  }
}

test('kill -9 while sandboxes are hibernated and woken: each is taken over, none is lost', {
  timeout: 400_000,
}, async () => {
  const { daemon } = used;
  const sandboxes = await makeCounting();
  const ids = sandboxes.map(({ id }) => id);
  const last = new Map<string, number>();
  for (let round = 0; round < 20; round++) {
    for (const id of ids) last.set(id, await counted(id));
    const going = ids.map((id) => toAndFro(id).catch(() => undefined));
    const delayMs = randomInt(900);
    await sleep(delayMs);
    await daemon.kill9();
    await Promise.all(going);
    await daemon.start();
    const shown = `round ${round}, killed after ${delayMs} ms`;
    const { api } = used;
    for (const { id, isolation } of sandboxes) {
      const found = await api.get(id);
      expect(['running', 'hibernated'], shown).toContain(found.status);
      expect(await counted(id), shown).toBeGreaterThanOrEqual(last.get(id) ?? 0);
      await api.wake(id);
      const { boot_mode, status_reason } = await api.get(id);
      if (isolation !== 'gvisor') continue;
      expect([boot_mode, status_reason], shown).not.toContain('disk');
      // It goes on from where it was, and only one of it.
      const before = await counted(id);
      await waitFor(async () => (await counted(id)) > before, { what: `the counter, ${shown}` });
      // A shell that is about to become another program has its name for a moment.
      const shells = 'grep -lz "[w]orkspace/next" /proc/[0-9]*/cmdline | wc -l';
      await waitFor(async () => (await api.exec(id, shells)).stdout === '1\n', {
        what: `only one counter, ${shown}`,
      });
    }
    await waitForOnly(daemon, ids);
  }
  for (const id of ids) await expectNothingLeft(used, id);
  await daemon.killSandboxes();
  await waitForOnly(daemon, []);
});

test('states, idle times and what was kept live through a stop and through a kill', async () => {
  const { daemon } = used;
  const sandboxes = (await Promise.all([makeCounting(), makeCounting()])).flat();
  const paused = sandboxes.slice(0, daemon.isolations.length);
  const asleep = sandboxes.slice(daemon.isolations.length);
  for (const { id } of paused) await used.api.enter(id, 'pause');
  for (const { id } of asleep) await used.api.enter(id, 'hibernate');
  for (const end of ['stop', 'kill9'] as const) {
    const before = await Promise.all(sandboxes.map(({ id }) => used.api.get(id)));
    await daemon[end]();
    await daemon.start();
    expect(await Promise.all(sandboxes.map(({ id }) => used.api.get(id)))).toEqual(before);
    for (const { id } of paused) {
      const standing = await counted(id);
      await sleep(200);
      expect(await counted(id)).toBe(standing);
    }
  }
  for (const { id } of paused) {
    const before = await counted(id);
    await used.api.enter(id, 'resume');
    await waitFor(async () => (await counted(id)) > before);
  }
  for (const { id, isolation } of asleep) {
    const before = await counted(id);
    expect(await used.api.wake(id)).toMatchObject({ memory: isolation === 'gvisor' });
    if (isolation === 'gvisor') await waitFor(async () => (await counted(id)) > before);
  }
  await daemon.killSandboxes();
  await waitForOnly(daemon, []);
});

test('idleness is counted on while no daemon runs', async () => {
  const { daemon } = used;
  const { id } = await used.api.create({ idle_timeout_seconds: 6 });
  const startedAt = Date.now();
  await sleep(1_500);
  await daemon.stop();
  await sleep(1_500);
  await daemon.start();
  expect((await used.api.get(id)).status).toBe('running');
  await waitFor(async () => (await used.api.get(id)).status === 'hibernated');
  const afterMs = Date.now() - startedAt;
  expect(afterMs).toBeGreaterThan(5_000);
  expect(afterMs).toBeLessThan(9_000);
  await daemon.killSandboxes();
});
