import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mountedCgroups } from './cgroups.ts';
import { errnoOf } from './ffi/system-error.ts';

/** Processes in the kernel (on a slow disk) freeze when they come back from there. */
const LONGEST_FREEZE_MS = 10_000;

interface Freezer {
  readonly file: string;
  readonly frozen: string;
  readonly thawed: string;
  readonly isFrozen: () => Promise<boolean>;
}

/**
 * Freezes all processes of a control group and of those below it. Resolves when none of them runs
 * any more. Idempotent.
 * @param path below the hierarchies' roots
 * @throws Error when there is no such group, or it cannot be frozen in time: then it is thawed
 */
export async function freezeCgroup(path: string): Promise<void> {
  const freezer = await freezerOf(path);
  if (freezer === undefined)
    throw new Error('this machine has no control groups that can be frozen');
  const deadlineMs = performance.now() + LONGEST_FREEZE_MS;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    // Version 1 wants to be told again when a process could not be frozen at once.
    await writeFile(freezer.file, freezer.frozen);
    if (await freezer.isFrozen()) return;
    if (performance.now() > deadlineMs) {
      await writeFile(freezer.file, freezer.thawed);
      throw new Error(`the processes of the control group ${path} cannot be frozen`);
    }
    await sleep(pauseMs);
  }
}

/** Lets the processes of a control group run. Idempotent; no error when there is no such group. */
export async function thawCgroup(path: string): Promise<void> {
  const freezer = await freezerOf(path);
  if (freezer === undefined) return;
  try {
    await writeFile(freezer.file, freezer.thawed, { flag: 'r+' });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENODEV') throw error;
  }
}

/** False also when there is no such group. */
export async function isCgroupFrozen(path: string): Promise<boolean> {
  return (await freezerOf(path))?.isFrozen() ?? false;
}

/** The hierarchy with the freezer in version 1, the unified one where there is none. */
async function freezerOf(path: string): Promise<Freezer | undefined> {
  const { hierarchies } = await mountedCgroups();
  const first = hierarchies.find((each) => each.controllers.includes('freezer'));
  const hierarchy = first ?? hierarchies.find((each) => each.version === 2);
  if (hierarchy === undefined) return undefined;
  const directory = join(hierarchy.mountPoint, path);
  const has = async (file: string, pattern: RegExp) =>
    pattern.test(await readFile(join(directory, file), 'utf8').catch(() => ''));
  return first
    ? {
        file: join(directory, 'freezer.state'),
        frozen: 'FROZEN',
        thawed: 'THAWED',
        isFrozen: () => has('freezer.state', /^FROZEN$/m),
      }
    : {
        file: join(directory, 'cgroup.freeze'),
        frozen: '1',
        thawed: '0',
        isFrozen: () => has('cgroup.events', /^frozen 1$/m),
      };
}
