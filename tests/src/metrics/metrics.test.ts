import { existsSync } from 'node:fs';
import { lifecycleSchema, type Metrics, metricsSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import {
  faultOf,
  json,
  onEachIsolation,
  sandboxProcess,
  signal,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();
const slow = { timeoutMs: 60_000 };

const metrics = async (id: string, query = ''): Promise<Metrics> =>
  metricsSchema.parse(json(await used.api.send('GET', `/v1/sandboxes/${id}/metrics${query}`), 200));

/** Goes on in the background once it has its memory. */
const holding = (python: string): string =>
  `python3 -c '${python}' >/tmp/out 2>&1 & while ! grep -q held /tmp/out; do sleep 0.1; done`;

onEachIsolation(used, (isolation) => {
  const sandbox = useSandbox(used, isolation, { memory_mb: 256, cpu: 1.5 });

  test('what a sandbox uses', async () => {
    const { id } = sandbox;
    const before = await metrics(id);
    expect(before).toMatchObject({
      status: 'running',
      cpu_limit: 1.5,
      memory_limit_bytes: 256 * 2 ** 20,
      pids_limit: 512,
      network_received_bytes: 0,
      network_sent_bytes: 0,
    });
    expect(existsSync(`/proc/${before.pid}`)).toBe(true);
    expect(before.uptime_seconds).toBeGreaterThan(0);
    expect(before.uptime_seconds).toBeLessThan(300);
    expect(before.memory_bytes).toBeGreaterThan(0);
    expect(before.memory_bytes).toBeLessThan(256 * 2 ** 20);
    expect(before.pids).toBeGreaterThan(0);

    const work = 'a = b"x" * 40_000_000; print("held", flush=True); import time; time.sleep(100)';
    await used.api.exec(id, holding(work));
    await used.api.exec(id, 'timeout 1 sh -c "while :; do :; done"');
    const after = await metrics(id);
    expect(after.cpu_seconds).toBeGreaterThan(before.cpu_seconds);
    expect(after.cpu_percent).toBeGreaterThan(0);
    expect(after.memory_bytes - before.memory_bytes).toBeGreaterThan(35_000_000);
    expect(after.memory_peak_bytes).toBeGreaterThanOrEqual(after.memory_bytes);
    expect(after.uptime_seconds).toBeGreaterThan(before.uptime_seconds);
  });

  test('processes of the sandbox are counted, and not those that hold it', async () => {
    const { id } = sandbox;
    await used.api.exec(id, 'for i in 1 2 3 4 5 6; do sleep 60 & done');
    const { pids } = await waitFor(
      async () => {
        const found = await metrics(id);
        return found.pids >= 7 && found;
      },
      { timeoutMs: 20_000 },
    );
    expect(pids).toBeLessThan(20);
  });

  test('bytes on the disk are counted within some seconds', async () => {
    const { id } = sandbox;
    const before = (await metrics(id)).disk_bytes;
    await used.api.write(id, '/workspace/big', Buffer.alloc(20_000_000, 1));
    await waitFor(async () => (await metrics(id)).disk_bytes - before > 19_000_000, {
      timeoutMs: 20_000,
    });
  });

  test('looking is not using, and wakes nobody', async () => {
    const { id } = sandbox;
    await waitFor(async () => {
      await metrics(id);
      const answer = await used.api.send('GET', `/v1/sandboxes/${id}/lifecycle`);
      return lifecycleSchema.parse(json(answer, 200)).idle_seconds > 1;
    });
    json(await used.api.send('POST', `/v1/sandboxes/${id}/pause`), 200);
    expect(await metrics(id)).toMatchObject({ status: 'paused' });
    json(await used.api.send('POST', `/v1/sandboxes/${id}/resume`), 200);
    json(await used.api.send('POST', `/v1/sandboxes/${id}/hibernate`, slow), 200);
    const asleep = await metrics(id);
    expect(asleep).toMatchObject({
      status: 'hibernated',
      pid: 0,
      memory_bytes: 0,
      pids: 0,
      cpu_percent: 0,
      uptime_seconds: 0,
    });
    expect(asleep.disk_bytes).toBeGreaterThan(19_000_000);
    json(await used.api.send('POST', `/v1/sandboxes/${id}/wake`, slow), 200);
    expect((await metrics(id)).pid).toBeGreaterThan(0);
  });

  test('one sample every ten seconds is kept, while there are processes', async () => {
    const { id } = sandbox;
    await used.api.exec(id, 'true');
    const since = Date.now();
    const recent = async () =>
      (await metrics(id)).history.filter(({ at }) => Date.parse(at) > since);
    const [sample] = await waitFor(
      async () => {
        const samples = await recent();
        return samples.length > 0 && samples;
      },
      { timeoutMs: 25_000, intervalMs: 500 },
    );
    expect(sample?.memory_bytes).toBeGreaterThan(0);
    const { history } = await metrics(id);
    const times = history.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect((await metrics(id, '?history=0')).history).toEqual([]);
  });

  test('a dead one has a disk only', async () => {
    const { id } = await used.api.create({ isolation });
    signal(sandboxProcess(used.daemon, id), 'SIGKILL');
    await waitFor(async () => (await used.api.get(id)).status === 'failed');
    expect(await metrics(id)).toMatchObject({ status: 'failed', pid: 0, memory_bytes: 0 });
    await used.api.kill(id);
  });
});

test('bad requests', async () => {
  const { api } = used;
  const { id } = await api.create();
  const path = `/v1/sandboxes/${id}/metrics`;
  for (const history of ['-1', 'x', '1e9', '1.5'])
    faultOf(await api.send('GET', `${path}?history=${history}`), 'invalid_request');
  faultOf(await api.send('GET', '/v1/sandboxes/none/metrics'), 'sandbox_not_found');
  const { api: other } = await api.newKey({ namespaces: ['other'] });
  faultOf(await other.send('GET', path), 'sandbox_not_found');
});
