import { cpus, loadavg } from 'node:os';

/** What the numbers were taken on. */
export interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly cpu: string | undefined;
  /** Processes that were running or waiting, on average, in the minute before. */
  readonly loadBefore: number;
}

/** This machine, before anything is measured. */
export function thisMachine(): Machine {
  return {
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** The sentence of a page that says when and on what its numbers were taken. */
export function takenOn({ cores, cpu, node, loadBefore }: Machine, takenAt: string): string {
  const load = loadBefore.toFixed(1);
  return `Taken on\n${takenAt.slice(0, 10)}, ${cores} cores (${cpu ?? 'unknown'}), Node ${node}, load before ${load}.`;
}
