import { Api } from '../lifecycle/api.ts';
import { measureCreates, measureCrowd } from '../lifecycle/creates.ts';
import { type ForkCase, measureForks } from '../lifecycle/forks.ts';
import { measureIdleMemory, measureSnapshots, measureStates } from '../lifecycle/states.ts';
import type { Measurement } from '../report.ts';
import type { Row } from '../subject.ts';

const forkBudget = { budget: { of: 'value', limit: 60 } } as const;

/** Everything that happens in the life of a sandbox, on the storage that the daemon was started with. */
export const lifecycle: Row = {
  name: 'lifecycle',
  onlyWhenNamed: true,
  async measure(subject, options) {
    const rounds = options.quick ? 3 : 30;
    const measured: Measurement[] = [];
    using api = new Api(subject);
    for (const isolation of subject.isolations) {
      const label = `${isolation}, ${subject.storage}`;
      const memories = isolation === 'gvisor' ? [false, true] : [false];
      measured.push(...(await measureCreates(api, isolation, label, rounds)));
      measured.push(...(await measureStates(api, isolation, label, rounds)));
      for (const memory of memories) {
        measured.push(...(await measureSnapshots(api, isolation, label, memory, rounds)));
        for (const fork of forkCases(subject.storage, memory, options.quick))
          measured.push({
            ...(await measureForks(api, isolation, label, fork)),
            ...(isBudgeted(subject.storage, fork) ? forkBudget : {}),
          });
      }
      measured.push(await measureIdleMemory(api, isolation, label));
      measured.push(...(await measureCrowd(api, isolation, label)));
    }
    return measured;
  },
};

/** On `overlay` a fork copies: sixteen copies of a large disk would measure the disk only. */
function forkCases(storage: string, memory: boolean, quick: boolean): ForkCase[] {
  const many = quick ? 2 : 5;
  const cases: ForkCase[] = [
    { memory, children: 1, writtenMib: 0, rounds: quick ? 3 : 30 },
    { memory, children: 16, writtenMib: 0, rounds: many },
    { memory, children: 1, writtenMib: 1024, rounds: storage === 'btrfs' && !quick ? 30 : many },
  ];
  if (storage === 'btrfs') cases.push({ memory, children: 16, writtenMib: 1024, rounds: many });
  return cases;
}

const isBudgeted = (storage: string, { memory, children, writtenMib }: ForkCase): boolean =>
  storage === 'btrfs' && !memory && children === 1 && writtenMib === 1024;
