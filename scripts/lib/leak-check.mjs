import { machineTraces, tracesOf } from './traces.mjs';

const describe = (kind, item) =>
  kind === 'processes' ? `process ${item.pid}: ${item.command.slice(0, 120)}` : `${kind}: ${item}`;

const identity = (item) => (typeof item === 'string' ? item : `${item.pid}/${item.startTime}`);

/**
 * Compares the machine with what it was before a run. What belongs to the run by its id or its
 * directories always counts. New things that merely carry Sandport's name count as well, unless
 * another Sandport is at work on the machine, which they could belong to.
 */
export function beginLeakCheck(marker) {
  const before = machineTraces();
  const foreignBefore = foreignWork(before, marker);
  return {
    /** Resolves to {leaks, alone}; gives what is about to end up to `patienceMs` to do so. */
    async finish({ patienceMs = 5_000 } = {}) {
      const deadline = performance.now() + patienceMs;
      for (;;) {
        const result = compare(before, foreignBefore, marker);
        if (result.leaks.length === 0 || performance.now() > deadline) return result;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
  };
}

function foreignWork(traces, marker) {
  const own = new Set(tracesOf(marker).processes.map(identity));
  return traces.processes.some(
    (item) =>
      item.pid !== process.pid &&
      !own.has(identity(item)) &&
      /serve|runsc|vitest|pytest/.test(item.command),
  );
}

function compare(before, foreignBefore, marker) {
  const after = machineTraces();
  const alone = !foreignBefore && !foreignWork(after, marker);
  const leaks = new Set();
  for (const [kind, items] of Object.entries(tracesOf(marker))) {
    for (const item of items) leaks.add(describe(kind, item));
  }
  if (alone) {
    for (const [kind, items] of Object.entries(after)) {
      if (kind === 'processes') continue;
      const known = new Set(before[kind].map(identity));
      const isOwn = (item) => item === marker.tempDir;
      for (const item of items) {
        if (!known.has(identity(item)) && !isOwn(item)) leaks.add(describe(kind, item));
      }
    }
  }
  return { leaks: [...leaks], alone };
}
