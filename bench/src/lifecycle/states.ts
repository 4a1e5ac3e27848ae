import type { Isolation } from 'sandport';
import type { Measurement } from '../report.ts';
import { timeMs } from '../statistics.ts';
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
