import { metricsSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { codeOf, faultOf, json, onEachIsolation, useDaemon, useSandbox } from '../harness/index.ts';

const used = useDaemon();
const slow = { timeoutMs: 60_000 };

const change = (id: string, resources: object) =>
  used.api.sendJson('PATCH', `/v1/sandboxes/${id}`, { resources });
const cpuSeconds = async (id: string) =>
  metricsSchema.parse(json(await used.api.send('GET', `/v1/sandboxes/${id}/metrics`), 200))
    .cpu_seconds;
/** Holds so much memory for a moment. */
const take = (id: string, mb: number) =>
  used.api.exec(id, `head -c ${mb}000000 /dev/zero | tail -c ${mb}000000 | wc -c`);

onEachIsolation(used, (isolation) => {
  const sandbox = useSandbox(used, isolation, { memory_mb: 256, cpu: 2, resources: { pids: 64 } });

  test('less memory, and more again', async () => {
    const { id } = sandbox;
    expect((await take(id, 120)).stdout.trim()).toBe('120000000');
    expect(json(await change(id, { memory_mb: 64 }), 200)).toMatchObject({ memory_mb: 64 });
    const killed = await take(id, 120);
    expect(killed.stdout.trim()).not.toBe('120000000');
    json(await change(id, { memory_mb: 300 }), 200);
    expect((await take(id, 120)).stdout.trim()).toBe('120000000');
  });

  test('less processor time', async () => {
    const { id } = sandbox;
    json(await change(id, { cpu: 0.1 }), 200);
    const before = await cpuSeconds(id);
    await used.api.exec(id, 'timeout 2 sh -c "while :; do :; done"');
    const throttled = (await cpuSeconds(id)) - before;
    // A tenth of two seconds, and what starts and ends the commands.
    expect(throttled).toBeLessThan(0.8);
    json(await change(id, { cpu: 2 }), 200);
  });

  test('what is left out stays, through a restart too', async () => {
    const { id } = sandbox;
    json(await change(id, { memory_mb: 200 }), 200);
    json(await change(id, { pids: 48 }), 200);
    await used.daemon.restart();
    const { resources } = await used.api.get(id);
    expect(resources).toMatchObject({ cpu: 2, memory_mb: 200, pids: 48 });
    expect((await take(id, 20)).stdout.trim()).toBe('20000000');
    const events = json(await used.api.send('GET', `/v1/sandboxes/${id}/events`), 200);
    expect(JSON.stringify(events)).toContain('"changed"');
  });

  test('a sandbox that sleeps wakes with its new limits', async () => {
    const { id } = sandbox;
    json(await used.api.send('POST', `/v1/sandboxes/${id}/hibernate`, slow), 200);
    expect(codeOf(await change(id, { memory_mb: 96 }))).toBe('ok');
    json(await used.api.send('POST', `/v1/sandboxes/${id}/wake`, slow), 200);
    expect((await take(id, 150)).stdout.trim()).not.toBe('150000000');
    json(await change(id, { memory_mb: 256 }), 200);
  });

  test('bad limits are refused, and nothing changes', async () => {
    const { id } = sandbox;
    const before = (await used.api.get(id)).resources;
    for (const resources of [
      { memory_mb: 1 },
      { memory_mb: -64 },
      { cpu: 0 },
      { cpu: 1e9 },
      { pids: 0 },
      { disk_mb: 1.5 },
      { gpu: 1 },
    ])
      faultOf(await change(id, resources), 'invalid_request');
    expect((await used.api.get(id)).resources).toEqual(before);
  });
});

test('a container cannot have less memory than it uses', async ({ skip }) => {
  if (!used.daemon.isolations.includes('container'))
    skip('container does not work on this machine; see `sandport doctor`');
  const { id } = await used.api.create({ isolation: 'container', memory_mb: 256 });
  const hold = 'a = b"x" * 100_000_000; print("held", flush=True); import time; time.sleep(60)';
  await used.api.exec(
    id,
    `python3 -c '${hold}' >/tmp/out 2>&1 & while ! grep -q held /tmp/out; do sleep 0.1; done`,
  );
  expect(faultOf(await change(id, { memory_mb: 32 }), 'invalid_request').error).toMatch(/memory/);
  expect((await used.api.get(id)).memory_mb).toBe(256);
  expect((await take(id, 50)).stdout.trim()).toBe('50000000');
});
