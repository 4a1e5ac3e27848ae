import { setTimeout as sleep } from 'node:timers/promises';
import type { Isolation } from 'sandport';
import type { Measurement } from '../report.ts';
import { median, timeMs } from '../statistics.ts';
import type { Api } from './api.ts';
import { spread } from './spread.ts';

/** Longest that hibernating and waking a small process tree may take, each. */
const sleepBudget = { of: 'value', limit: 250 } as const;

/** Pause, resume, hibernate and wake of one sandbox with a process that counts. */
export async function measureStates(
  api: Api,
  isolation: Isolation,
  label: string,
  rounds: number,
): Promise<Measurement[]> {
  const { id } = await api.create({ isolation });
  const steps = ['pause', 'resume', 'hibernate', 'wake'] as const;
  const times = new Map(steps.map((step) => [step, [] as number[]]));
  try {
    await api.run(id, '(while :; do sleep 0.1; done) >/dev/null 2>&1 &');
    for (let round = -1; round < rounds; round++)
      for (const step of steps) {
        const took = await timeMs(() => api.call('POST', `/v1/sandboxes/${id}/${step}`));
        if (round >= 0) times.get(step)?.push(took);
      }
  } finally {
    await api.remove(id);
  }
  return steps.map((step) =>
    spread(
      `${step}, ${label}`,
      times.get(step) ?? [],
      step === 'hibernate' || step === 'wake' ? { budget: sleepBudget } : {},
    ),
  );
}

const idleSandboxes = 5;
const settlingMs = 2_000;

/** What the machine gives to a sandbox that does nothing, its own kernel and init included. */
export async function measureIdleMemory(
  api: Api,
  isolation: Isolation,
  label: string,
): Promise<Measurement> {
  const ids: string[] = [];
  try {
    while (ids.length < idleSandboxes) ids.push((await api.create({ isolation })).id);
    await sleep(settlingMs);
    const bytes: number[] = [];
    for (const id of ids) {
      const path = `/v1/sandboxes/${id}/metrics`;
      bytes.push((await api.call<{ host_rss_bytes: number }>('GET', path)).host_rss_bytes);
    }
    return {
      operation: `memory of an idle sandbox, ${label}`,
      value: median(bytes) / 2 ** 20,
      unit: 'MiB',
    };
  } finally {
    for (const id of ids) await api.remove(id);
  }
}

/** Snapshot of one sandbox, and sandboxes from it. */
export async function measureSnapshots(
  api: Api,
  isolation: Isolation,
  label: string,
  memory: boolean,
  rounds: number,
): Promise<Measurement[]> {
  const { id } = await api.create({ isolation });
  const making: number[] = [];
  const starting: number[] = [];
  try {
    for (let round = -1; round < rounds; round++) {
      let snapshot: string | undefined;
      const made = await timeMs(async () => {
        const path = `/v1/sandboxes/${id}/snapshots`;
        snapshot = (await api.call<{ id: string }>('POST', path, { memory })).id;
      });
      let child: string | undefined;
      const started = await timeMs(async () => {
        child = (await api.create({ from_snapshot: snapshot })).id;
        await api.run(child, 'true');
      });
      if (child !== undefined) await api.remove(child);
      await api.call('DELETE', `/v1/snapshots/${snapshot}`);
      if (round < 0) continue;
      making.push(made);
      starting.push(started);
    }
  } finally {
    await api.remove(id);
  }
  const kind = memory ? 'memory' : 'disk only';
  return [
    spread(`snapshot, ${kind}, ${label}`, making),
    spread(`create from a snapshot to first command, ${kind}, ${label}`, starting),
  ];
}
