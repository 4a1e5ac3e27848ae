import { setTimeout as sleep } from 'node:timers/promises';
import type { Isolation } from 'sandport';
import type { Measurement } from '../report.ts';
import { timeMs } from '../statistics.ts';
import type { Api } from './api.ts';
import { spread } from './spread.ts';

const coldBudgetMs = { container: 40, gvisor: 200 } as const;
const warmBudgetMs = 10;
const poolSize = 4;
const atOnce = 50;

/** Sandboxes one after the other, each made, used once and deleted. */
export async function measureCreates(
  api: Api,
  isolation: Isolation,
  label: string,
  rounds: number,
): Promise<Measurement[]> {
  const cold = await oneByOne(api, isolation, rounds, async () => undefined);
  const pool = `/v1/pools/base?isolation=${isolation}`;
  await api.call('PUT', '/v1/pools/base', { isolation, size: poolSize });
  const warm = await oneByOne(api, isolation, rounds, () => waitUntilFull(api, pool));
  await api.call('DELETE', pool);
  const budget = (limit: number) => ({ budget: { of: 'value', limit } }) as const;
  return [
    spread(`create, cold, ${label}`, cold.creates),
    spread(`create to first command, cold, ${label}`, cold.usable, budget(coldBudgetMs[isolation])),
    spread(`first command, cold, ${label}`, cold.firstCommands),
    spread(`create, warm pool, ${label}`, warm.creates, budget(warmBudgetMs)),
    spread(`create to first command, warm pool, ${label}`, warm.usable),
    spread(`delete, ${label}`, [...cold.deletes, ...warm.deletes]),
  ];
}

/** Many creates that begin at the same moment. */
export async function measureCrowd(
  api: Api,
  isolation: Isolation,
  label: string,
): Promise<Measurement[]> {
  const made: string[] = [];
  const times: number[] = [];
  const wall = await timeMs(async () => {
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        const took = await timeMs(async () => {
          const { id } = await api.create({ isolation, memory_mb: 128 });
          made.push(id);
          await api.run(id, 'true');
        });
        times.push(took);
      }),
    ).finally(() => removeAll(api, made));
  });
  return [
    spread(`create to first command, ${atOnce} at once, ${label}`, times, {
      note: `made and deleted in ${(wall / 1000).toFixed(1)} s`,
    }),
  ];
}

async function oneByOne(
  api: Api,
  isolation: Isolation,
  rounds: number,
  before: () => Promise<void>,
) {
  const creates: number[] = [];
  const firstCommands: number[] = [];
  const usable: number[] = [];
  const deletes: number[] = [];
  for (let round = -2; round < rounds; round++) {
    await before();
    let id = '';
    const created = await timeMs(async () => {
      id = (await api.create({ isolation })).id;
    });
    const commanded = await timeMs(() => api.run(id, 'true'));
    const deleted = await timeMs(() => api.remove(id));
    if (round < 0) continue;
    creates.push(created);
    firstCommands.push(commanded);
    usable.push(created + commanded);
    deletes.push(deleted);
  }
  return { creates, firstCommands, usable, deletes };
}

async function waitUntilFull(api: Api, path: string): Promise<void> {
  for (;;) {
    const { ready } = await api.call<{ ready: number }>('GET', path);
    if (ready === poolSize) return;
    await sleep(20);
  }
}

async function removeAll(api: Api, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += 8)
    await Promise.all(ids.slice(at, at + 8).map((id) => api.remove(id)));
}
