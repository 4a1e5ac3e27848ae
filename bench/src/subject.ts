import { readFileSync } from 'node:fs';
import { type Isolation, Sandbox, SandportError } from 'sandport';
import type { Measurement } from './report.ts';

/** What the rows are measured against; `scripts/bench.mjs` starts all of it. */
export interface Subject {
  readonly url: string;
  readonly apiKey: string;
  /** Process id of the daemon. */
  readonly daemonPid: number;
  /** Address of the floor server. */
  readonly floorUrl: string;
  /** Process id of the floor server. */
  readonly floorPid: number;
  /** Isolations that work here. */
  readonly isolations: readonly Isolation[];
  /** A directory on the same disk for the clients' own files. */
  readonly workDir: string;
  /** Python with the SDK installed. */
  readonly python: string;
  /** Storage of the daemon: `overlay` or `btrfs`. */
  readonly storage: string;
  /** The repository's bench directory. */
  readonly benchDir: string;
}

export interface BenchOptions {
  /** Size of the large file in MiB. */
  readonly sizeMib: number;
  /** Number of idle sandboxes. */
  readonly idle: number;
  /** Also a file of 10 GiB. */
  readonly huge: boolean;
  /** Fewer rounds: numbers that are good enough to see that everything works. */
  readonly quick: boolean;
}

/** A row of the benchmark: what it is called, and how it is measured. */
export interface Row {
  readonly name: string;
  /** True: only when it is named on the command line. */
  readonly onlyWhenNamed?: boolean;
  measure(subject: Subject, options: BenchOptions): Promise<readonly Measurement[]>;
}

/** Resident memory of a process in MiB. */
export function residentMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** CPU time that a process has used, in milliseconds; a clock tick is 10 ms on Linux. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Samples a process's memory while the work runs; resolves to the growth in MiB at the peak. */
export async function memoryGrowthMib(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = residentMib(pid);
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMib(pid));
  }, 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, residentMib(pid)) - before;
}

/** Those isolations with which a sandbox can be made here. */
export async function workingIsolations(config: {
  url: string;
  apiKey: string;
}): Promise<Isolation[]> {
  const working: Isolation[] = [];
  for (const isolation of ['gvisor', 'container'] as const) {
    try {
      const sandbox = await Sandbox.create({ isolation }, config);
      await sandbox.kill();
      working.push(isolation);
    } catch (error) {
      if (!(error instanceof SandportError)) throw error;
      console.error(`isolation ${isolation} is left out: ${error.message}`);
    }
  }
  return working;
}
