import { execFileSync } from 'node:child_process';
import { type Isolation, Sandbox } from 'sandport';
import { fairness } from '../network/fairness.ts';
import { type OtherSide, startOtherSide } from '../network/other-side.ts';
import { connector, mover } from '../network/programs.ts';
import type { Measurement } from '../report.ts';
import { interleave, medianOf, timeMs } from '../statistics.ts';
import type { Row, Subject } from '../subject.ts';

/** What a network costs a create, what goes through it, and what neighbours leave of that. */
export const network: Row = {
  name: 'network',
  onlyWhenNamed: true,
  async measure(subject, { quick }) {
    await using other = await startOtherSide();
    const measured: Measurement[] = [];
    for (const isolation of subject.isolations) {
      measured.push(await creates(subject, isolation, quick ? 5 : 30));
      measured.push(...(await traffic(subject, isolation, other, quick ? 1 : 4)));
      const rounds = quick ? { seconds: 1, rounds: 2 } : { seconds: 2, rounds: 8 };
      measured.push(...(await fairness(subject, isolation, { other, ...rounds })));
    }
    return measured;
  },
};

const egress = { network: { egress: 'all' } } as const;

async function creates(
  subject: Subject,
  isolation: Isolation,
  rounds: number,
): Promise<Measurement> {
  const contender = (name: string, options: object) => ({
    name,
    run: async () => {
      let sandbox: Sandbox | undefined;
      const took = await timeMs(async () => {
        sandbox = await Sandbox.create({ isolation, ...options }, subject);
      });
      await sandbox?.kill();
      return took;
    },
  });
  // One is there throughout, so that none of them is the first.
  await using kept = await Sandbox.create({ isolation, ...egress }, subject);
  void kept;
  const values = await interleave([contender('with', egress), contender('without', {})], {
    warmUps: 2,
    rounds,
  });
  const without = medianOf(values, 'without');
  return {
    operation: `what a network adds to a create, ${isolation}, p50`,
    value: medianOf(values, 'with') - without,
    unit: 'ms',
    budget: { of: 'value', limit: 15 },
    note: `without ${without.toFixed(0)} ms`,
  };
}

async function traffic(
  subject: Subject,
  isolation: Isolation,
  other: OtherSide,
  seconds: number,
): Promise<Measurement[]> {
  await using sandbox = await Sandbox.create({ isolation, ...egress }, subject);
  const inside = async (program: string) =>
    Number((await sandbox.commands.run(['python3', '-c', program])).stdout);
  const outside = (program: string) =>
    Number(execFileSync(subject.python, ['-c', program], { encoding: 'utf8' }));
  const rate = async (direction: 'down' | 'up'): Promise<Measurement> => ({
    operation: `throughput ${direction}, ${isolation}`,
    value: await inside(mover(other, direction, seconds)),
    floor: outside(mover(other, direction, seconds)),
    unit: 'MiB/s',
    higherIsBetter: true,
    note: 'floor: a process of this machine',
  });
  const connect: Measurement = {
    operation: `connect, ${isolation}, p50`,
    value: await inside(connector(other, 200)),
    floor: outside(connector(other, 200)),
    unit: 'ms',
  };
  const [down, up] = [await rate('down'), await rate('up')];
  return [connect, down, up];
}
