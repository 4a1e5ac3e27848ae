import { setTimeout as sleep } from 'node:timers/promises';
import { Sandbox } from 'sandport';
import { cpuMs, residentMib, type Row } from '../subject.ts';

const watchedMs = 10_000;
const atOnce = 8;

/** Many sandboxes that do nothing: the daemon's memory, and whether it rests. */
export const idle: Row = {
  name: 'idle',
  onlyWhenNamed: true,
  async measure(subject, options) {
    const isolation = subject.isolations.at(-1);
    const sandboxes: Sandbox[] = [];
    try {
      while (sandboxes.length < options.idle) {
        const count = Math.min(atOnce, options.idle - sandboxes.length);
        const batch = Array.from({ length: count }, () => Sandbox.create({ isolation }, subject));
        sandboxes.push(...(await Promise.all(batch)));
      }
      await sleep(2_000);
      const before = cpuMs(subject.daemonPid);
      await sleep(watchedMs);
      const note = `${options.idle} × ${isolation}`;
      return [
        {
          operation: 'daemon memory, idle sandboxes',
          value: residentMib(subject.daemonPid),
          unit: 'MiB',
          budget: { of: 'value', limit: 200 },
          note,
        },
        {
          operation: 'daemon CPU, idle sandboxes',
          value: ((cpuMs(subject.daemonPid) - before) * 100) / watchedMs,
          unit: '%',
          budget: { of: 'value', limit: 5 },
          note,
        },
      ];
    } finally {
      for (let at = 0; at < sandboxes.length; at += atOnce) {
        await Promise.all(sandboxes.slice(at, at + atOnce).map((sandbox) => sandbox.kill()));
      }
    }
  },
};
