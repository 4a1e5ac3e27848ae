import { Sandbox } from 'sandport';
import type { Measurement } from '../report.ts';
import { interleave, medianOf, percentile, timeMs } from '../statistics.ts';
import type { Row } from '../subject.ts';

const budgetMs = { container: 40, gvisor: 200 } as const;

/** From the request for a sandbox to the answer of its first command, no pool. */
export const create: Row = {
  name: 'create',
  async measure(subject, options) {
    const values = await interleave(
      subject.isolations.map((isolation) => ({
        name: isolation,
        run: async () => {
          let sandbox: Sandbox | undefined;
          const took = await timeMs(async () => {
            sandbox = await Sandbox.create({ isolation }, subject);
            await sandbox.commands.run(['true']);
          });
          await sandbox?.kill();
          return took;
        },
      })),
      { warmUps: 3, rounds: options.quick ? 5 : 40 },
    );
    return subject.isolations.map(
      (isolation): Measurement => ({
        operation: `create to first command, ${isolation}, p50`,
        value: medianOf(values, isolation),
        unit: 'ms',
        budget: { of: 'value', limit: budgetMs[isolation] },
        note: `p95 ${percentile(values.get(isolation) ?? [], 0.95).toFixed(0)} ms`,
      }),
    );
  },
};
