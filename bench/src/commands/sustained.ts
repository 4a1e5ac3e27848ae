import { readdirSync } from 'node:fs';
import type { Sandbox } from 'sandport';
import { memoryGrowthMib } from '../subject.ts';

/** Commands at one time. */
const lanes = 50;
/** What earlier requests have left open for a while is there before and after. */
const warmUpMs = 1000;

export interface Sustained {
  /** Commands a second, over all of the time. */
  readonly perSecond: number;
  /** Descriptors that the daemon has more afterwards. */
  readonly moreFiles: number;
  readonly grownMib: number;
  /** Processes in the sandbox afterwards. */
  readonly processes: number;
}

/** Runs short commands for some time, as many as there can be, and looks at what stays. */
export async function sustain(
  sandbox: Sandbox,
  daemonPid: number,
  forMs: number,
): Promise<Sustained> {
  await runFor(sandbox, warmUpMs);
  const filesBefore = openFiles(daemonPid);
  let ran = 0;
  const grownMib = await memoryGrowthMib(daemonPid, async () => {
    ran = await runFor(sandbox, forMs);
  });
  const { stdout } = await sandbox.commands.run('ps -A --no-headers | wc -l');
  return {
    perSecond: (ran / forMs) * 1000,
    moreFiles: Math.max(0, openFiles(daemonPid) - filesBefore),
    grownMib,
    processes: Number(stdout),
  };
}

/** Resolves to how many have run. @throws Error when one did not do what it should */
async function runFor(sandbox: Sandbox, forMs: number): Promise<number> {
  const until = performance.now() + forMs;
  let ran = 0;
  const lane = async () => {
    while (performance.now() < until) {
      const { exitCode } = await sandbox.commands.run(['true']);
      if (exitCode !== 0) throw new Error(`\`true\` ended with ${exitCode}`);
      ran += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return ran;
}

const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
