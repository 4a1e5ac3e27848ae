import type { Measurement } from '../report.ts';
import { median, percentile } from '../statistics.ts';

/** One line for many times of one operation: the median, and how far they spread. */
export function spread(
  operation: string,
  times: readonly number[],
  extra: Partial<Measurement> = {},
): Measurement {
  const at = (share: number) => percentile(times, share).toFixed(0);
  const note = `p95 ${at(0.95)}, p99 ${at(0.99)} ms, n ${times.length}`;
  return {
    operation,
    value: median(times),
    unit: 'ms',
    ...extra,
    note: extra.note === undefined ? note : `${note}; ${extra.note}`,
  };
}
