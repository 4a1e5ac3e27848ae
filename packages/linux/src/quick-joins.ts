import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listMounts, type MountEntry } from './mounts/list-mounts.ts';

/** What one write makes quick lasts a little longer than this. */
const pauseMs = 4;
/** Nobody needs it longer; a start that hangs is not to keep the machine busy. */
const longestMs = 1000;

let holders = 0;
let keeping = false;
let untilMs = 0;

/**
 * Lets processes join control groups at once until it is disposed, or for a second. A join locks out
 * all forks of the machine; the kernel gets ready for that in an RCU grace period of some 10 ms, and
 * stays ready for as long again. So this process joins the group that it is in, again and again,
 * which changes nothing; a thread of the pool waits for it. Where that is not allowed nothing happens.
 */
export function keepJoinsQuick(): Disposable {
  let held = true;
  holders += 1;
  untilMs = performance.now() + longestMs;
  if (!keeping) {
    keeping = true;
    void keep().finally(() => {
      keeping = false;
    });
  }
  return {
    [Symbol.dispose]: () => {
      if (held) holders -= 1;
      held = false;
    },
  };
}

async function keep(): Promise<void> {
  hierarchy ??= findHierarchy();
  try {
    const found = await hierarchy;
    while (found !== undefined && holders > 0 && performance.now() < untilMs) {
      // Looked up each time: an administrator may have moved this process.
      await writeFile(ownProcesses(found), '0', { flag: 'r+' });
      await sleep(pauseMs, undefined, { ref: false });
    }
  } catch {
    // Not allowed here: joins are as quick as the kernel makes them.
  }
}

let hierarchy: Promise<MountEntry | undefined> | undefined;

/** One of those mounted whole, where the paths of groups lead to them; the lock is one for all. */
async function findHierarchy(): Promise<MountEntry | undefined> {
  const mounts = (await listMounts()).filter(({ root }) => root === '/');
  return (
    mounts.find(({ type }) => type === 'cgroup2') ?? mounts.find(({ type }) => type === 'cgroup')
  );
}

/** The list of processes in our own group. @throws Error when it cannot be known */
function ownProcesses({ mountPoint, type, superOptions }: MountEntry): string {
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').split('\n')) {
    const [, number, names = '', path = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    const isIt =
      type === 'cgroup2' ? number === '0' : superOptions.includes(names.split(',')[0] ?? '');
    if (isIt) return join(mountPoint, path, 'cgroup.procs');
  }
  throw new Error(`no control group of this process is in ${mountPoint}`);
}
