import { setTimeout as sleep } from 'node:timers/promises';
import { type Isolation, Sandbox } from 'sandport';
import type { Measurement } from '../report.ts';
import { interleave, median, medianOf, timeMs } from '../statistics.ts';
import type { Subject } from '../subject.ts';
import type { OtherSide } from './other-side.ts';
import { burner, flooder, mover, opener } from './programs.ts';

/** What is left to a neighbour, at most. One core stays for the sandbox that is measured. */
const resources = { cpu: 0.5 };
const egress = { network: { egress: 'all' } } as const;
const commandsARound = 15;

export interface FairnessOptions {
  readonly other: OtherSide;
  /** Of one transfer. */
  readonly seconds: number;
  readonly rounds: number;
}

/**
 * What a sandbox keeps beside one that does its worst to the network. The floor is the same beside
 * one that has no network and computes, within the same limit: what a neighbour may take anyway.
 */
export async function fairness(
  subject: Subject,
  isolation: Isolation,
  { other, seconds, rounds }: FairnessOptions,
): Promise<Measurement[]> {
  await using sandbox = await Sandbox.create({ isolation, ...egress }, subject);
  await using networked = await Sandbox.create({ isolation, resources, ...egress }, subject);
  await using computing = await Sandbox.create({ isolation, resources }, subject);
  const commands = new Map<string, number[]>();
  const transfer = mover(other, 'down', seconds);
  const beside = (name: string, neighbour?: Sandbox, program?: string) => ({
    name,
    run: async () => {
      const handle =
        program === undefined
          ? undefined
          : await neighbour?.commands.run(['python3', '-c', program], { background: true });
      // It is at full speed, and what it may do at once is over.
      await sleep(1500);
      try {
        const times = [];
        for (let count = 0; count < commandsARound; count++)
          times.push(await timeMs(() => sandbox.commands.run(['true'])));
        commands.set(name, [...(commands.get(name) ?? []), median(times)]);
        return Number((await sandbox.commands.run(['python3', '-c', transfer])).stdout);
      } finally {
        await handle?.kill();
      }
    },
  });
  const worst = new Map([
    ['10,000 connections', opener(other.patient)],
    ['a flood of packets', flooder(other)],
  ]);
  const contenders = [
    beside('nobody'),
    beside('a computation', computing, burner),
    ...[...worst].map(([name, program]) => beside(name, networked, program)),
  ];
  const rates = await interleave(contenders, { warmUps: 0, rounds });
  return [...worst.keys()].flatMap((name): Measurement[] => [
    {
      operation: `throughput down beside ${name} of another, ${isolation}`,
      value: medianOf(rates, name),
      floor: medianOf(rates, 'a computation'),
      unit: 'MiB/s',
      higherIsBetter: true,
      budget: { of: 'floor', limit: 0.8 },
      note: `floor: beside a computation; alone ${medianOf(rates, 'nobody').toFixed(0)} MiB/s`,
    },
    {
      operation: `run true beside ${name} of another, ${isolation}, p50`,
      value: medianOf(commands, name),
      floor: medianOf(commands, 'a computation'),
      unit: 'ms',
      budget: { of: 'floor', limit: 1.25 },
      note: `floor: beside a computation; alone ${medianOf(commands, 'nobody').toFixed(1)} ms`,
    },
  ]);
}
