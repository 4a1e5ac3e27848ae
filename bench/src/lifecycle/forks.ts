import type { Isolation } from 'sandport';
import type { Measurement } from '../report.ts';
import { median, timeMs } from '../statistics.ts';
import type { Api } from './api.ts';
import { spread } from './spread.ts';

export interface ForkCase {
  readonly memory: boolean;
  readonly children: number;
  readonly writtenMib: number;
  readonly rounds: number;
}

/** Forks one parent again and again; children go before the next round. */
export async function measureForks(
  api: Api,
  isolation: Isolation,
  label: string,
  { memory, children, writtenMib, rounds }: ForkCase,
): Promise<Measurement> {
  const parent = await api.create({ isolation });
  const pauses: number[] = [];
  const times: number[] = [];
  try {
    if (writtenMib > 0)
      await api.run(parent.id, `head -c ${writtenMib}M /dev/urandom > /workspace/data; sync`);
    for (let round = -1; round < rounds; round++) {
      let made: readonly string[] = [];
      const took = await timeMs(async () => {
        const path = `/v1/sandboxes/${parent.id}/fork`;
        const answer = await api.call<{ children: string[]; pause_ms: number }>('POST', path, {
          count: children,
          memory,
        });
        made = answer.children;
        if (round >= 0) pauses.push(answer.pause_ms);
      });
      if (round >= 0) times.push(took);
      for (const id of made) await api.remove(id);
    }
  } finally {
    await api.remove(parent.id);
  }
  const what = `${children} ${children === 1 ? 'child' : 'children'}, ${writtenMib} MiB written`;
  return spread(`fork, ${memory ? 'memory' : 'disk only'}, ${what}, ${label}`, times, {
    note: `parent still for ${median(pauses).toFixed(0)} ms`,
  });
}
