import { Sandbox } from 'sandport';
import { KeyEcho } from '../commands/key-echo.ts';
import { streamOutput } from '../commands/stream-output.ts';
import { sustain } from '../commands/sustained.ts';
import type { Measurement } from '../report.ts';
import { percentile, timeMs } from '../statistics.ts';
import { type BenchOptions, memoryGrowthMib, type Row, type Subject } from '../subject.ts';

const budgetMs = { container: 3, gvisor: 6 } as const;

/** Commands: how soon short ones answer, alone and in a crowd, how fast output flows, how a key feels. */
export const commands: Row = {
  name: 'commands',
  async measure(subject, options) {
    const measurements: Measurement[] = [];
    for (const isolation of subject.isolations) {
      await using sandbox = await Sandbox.create({ isolation }, subject);
      const named = (operation: string) => `${operation}, ${isolation}`;
      measurements.push(
        ...(await shortOnes(sandbox, options, named, budgetMs[isolation])),
        ...(await crowd(sandbox, named)),
        ...(await sustained(subject, sandbox, options, named)),
        ...(await stream(subject, sandbox, options, named)),
        ...(await keys(subject, sandbox, options, named)),
      );
    }
    return measurements;
  },
};

/** A daemon at work has its code compiled; so has a client. */
const warmUps = 500;

type Named = (operation: string) => string;

const twoOf = (operation: string, values: readonly number[]): Measurement[] => [
  { operation: `${operation}, p50`, value: percentile(values, 0.5), unit: 'ms' },
  { operation: `${operation}, p99`, value: percentile(values, 0.99), unit: 'ms' },
];

async function shortOnes(
  sandbox: Sandbox,
  { quick }: BenchOptions,
  named: Named,
  limit: number,
): Promise<Measurement[]> {
  const measure = async (what: string | string[]) => {
    const values: number[] = [];
    for (let round = -warmUps; round < (quick ? 100 : 500); round++) {
      const value = await timeMs(() => sandbox.commands.run(what));
      if (round >= 0) values.push(value);
    }
    return values;
  };
  const [median, ...rest] = twoOf(named('run `true`'), await measure(['true']));
  return [
    ...(median === undefined ? [] : [{ ...median, budget: { of: 'value' as const, limit } }]),
    ...rest,
    ...twoOf(named('run `echo` in a shell'), await measure('echo x')),
  ];
}

/** A hundred at one time, ten times over. */
async function crowd(sandbox: Sandbox, named: Named): Promise<Measurement[]> {
  const rounds = 10;
  const atOnce = 100;
  const tookMs = await timeMs(async () => {
    for (let round = 0; round < rounds; round++)
      await Promise.all(Array.from({ length: atOnce }, () => sandbox.commands.run(['true'])));
  });
  const value = tookMs / rounds;
  const perSecond = Math.round((atOnce / value) * 1000);
  return [{ operation: named('100 `true` at once'), value, unit: 'ms', note: `${perSecond}/s` }];
}

/** As many as there can be, for a while: nothing of them stays. */
async function sustained(
  subject: Subject,
  sandbox: Sandbox,
  { quick }: BenchOptions,
  named: Named,
): Promise<Measurement[]> {
  const seconds = quick ? 3 : 20;
  const { perSecond, moreFiles, grownMib, processes } = await sustain(
    sandbox,
    subject.daemonPid,
    seconds * 1000,
  );
  const left = `${moreFiles} more descriptors of the daemon, ${processes} processes in the sandbox`;
  return [
    {
      operation: named(`\`true\` for ${seconds} s, 50 at once, each`),
      value: 1000 / perSecond,
      unit: 'ms',
      note: `${Math.round(perSecond)}/s; then ${left}`,
    },
    { operation: named('daemon RSS growth by these'), value: grownMib, unit: 'MiB' },
  ];
}

async function stream(
  subject: Subject,
  sandbox: Sandbox,
  { quick, sizeMib }: BenchOptions,
  named: Named,
): Promise<Measurement[]> {
  const first: number[] = [];
  for (let round = 0; round < 20; round++) first.push((await streamOutput(sandbox, 1)).firstByteMs);
  const mib = quick ? 64 : sizeMib;
  let mibPerSecond = 0;
  const grown = await memoryGrowthMib(subject.daemonPid, async () => {
    ({ mibPerSecond } = await streamOutput(sandbox, mib));
  });
  return [
    { operation: named('output, first byte, p50'), value: percentile(first, 0.5), unit: 'ms' },
    {
      operation: named(`output, ${mib} MiB`),
      value: mibPerSecond,
      unit: 'MiB/s',
      higherIsBetter: true,
      note: 'its hash is checked',
    },
    { operation: named('daemon RSS growth meanwhile'), value: grown, unit: 'MiB' },
  ];
}

async function keys(
  subject: Subject,
  sandbox: Sandbox,
  { quick }: BenchOptions,
  named: Named,
): Promise<Measurement[]> {
  using echo = await KeyEcho.open(subject, sandbox);
  const values: number[] = [];
  for (let round = -20; round < (quick ? 100 : 500); round++) {
    const value = await echo.press();
    if (round >= 0) values.push(value);
  }
  return twoOf(named('a key in a terminal, seen'), values);
}
