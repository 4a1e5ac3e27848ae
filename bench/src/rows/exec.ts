import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Sandbox } from 'sandport';
import type { Measurement } from '../report.ts';
import { interleave, medianOf, timeMs } from '../statistics.ts';
import type { Row } from '../subject.ts';

const budgetMs = { container: 3, gvisor: 6 } as const;

const spawnOnHost = () => once(spawn('true', { stdio: 'ignore' }), 'exit');

/** `true` in a sandbox that runs; beside it what a process on the host costs from Node. */
export const exec: Row = {
  name: 'exec',
  async measure(subject, options) {
    const sandboxes = await Promise.all(
      subject.isolations.map(async (isolation) => ({
        isolation,
        sandbox: await Sandbox.create({ isolation }, subject),
      })),
    );
    try {
      const values = await interleave(
        [
          { name: 'host', run: () => timeMs(spawnOnHost) },
          ...sandboxes.map(({ isolation, sandbox }) => ({
            name: isolation,
            run: () => timeMs(() => sandbox.commands.run(['true'])),
          })),
        ],
        { warmUps: 50, rounds: options.quick ? 100 : 500 },
      );
      return subject.isolations.map(
        (isolation): Measurement => ({
          operation: `run \`true\`, ${isolation}, p50`,
          value: medianOf(values, isolation),
          unit: 'ms',
          floor: medianOf(values, 'host'),
          budget: { of: 'value', limit: budgetMs[isolation] },
          note: 'floor: a process on the host',
        }),
      );
    } finally {
      await Promise.all(sandboxes.map(({ sandbox }) => sandbox.kill()));
    }
  },
};
