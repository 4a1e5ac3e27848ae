import { readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from './ffi/system-error.ts';
import { type MountEntry, listMounts } from './mounts/list-mounts.ts';

export type CgroupMode = 'v1' | 'v2' | 'hybrid' | 'none';

export interface CgroupHierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  /** As memory or cpu; for v2 those that the root offers. */
  readonly controllers: readonly string[];
}

export interface CgroupInfo {
  /** hybrid: v1 controllers beside a v2 hierarchy. */
  readonly mode: CgroupMode;
  readonly hierarchies: readonly CgroupHierarchy[];
}

const V1_CONTROLLERS = [
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'net_cls',
  'net_prio',
  'perf_event',
  'hugetlb',
  'rdma',
  'misc',
];

/** How this machine's control groups are mounted. Never throws. */
export async function detectCgroups(): Promise<CgroupInfo> {
  const mounts = await listMounts().catch(() => []);
  const hierarchies: CgroupHierarchy[] = [];
  for (const mount of mounts) {
    const hierarchy = await hierarchyOf(mount);
    if (hierarchy !== undefined) hierarchies.push(hierarchy);
  }
  const has = (version: 1 | 2): boolean => hierarchies.some((entry) => entry.version === version);
  const mode = has(2) ? (has(1) ? 'hybrid' : 'v2') : has(1) ? 'v1' : 'none';
  return { mode, hierarchies };
}

async function hierarchyOf(mount: MountEntry): Promise<CgroupHierarchy | undefined> {
  const { mountPoint, type, superOptions } = mount;
  if (type === 'cgroup') {
    const controllers = superOptions.filter((option) => V1_CONTROLLERS.includes(option));
    return { mountPoint, version: 1, controllers };
  }
  if (type !== 'cgroup2') return undefined;
  const text = await readFile(join(mountPoint, 'cgroup.controllers'), 'utf8').catch(() => '');
  return { mountPoint, version: 2, controllers: words(text) };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

let mounted: Promise<CgroupInfo> | undefined;

/** How control groups were mounted at the first call. Never throws. */
export function mountedCgroups(): Promise<CgroupInfo> {
  mounted ??= detectCgroups();
  return mounted;
}

/**
 * `path` in every hierarchy that was mounted at the first call.
 * @throws TypeError unless it is a relative path without '..'
 */
export async function cgroupDirectories(path: string): Promise<string[]> {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0 || parts.includes('..') || parts.includes('.')) {
    throw new TypeError(`${path}: not a path of a control group`);
  }
  const { hierarchies } = await mountedCgroups();
  return hierarchies.map((entry) => join(entry.mountPoint, ...parts));
}

export interface RemoveCgroupOptions {
  /** How long to wait for processes that are still ending. @default 5000 */
  readonly timeoutMs?: number;
}

/**
 * Removes an empty control group from every hierarchy. Kills nothing. Idempotent.
 * @param path below the hierarchies' roots @throws Error EBUSY when processes or groups stay in it
 */
export async function removeCgroup(path: string, options: RemoveCgroupOptions = {}): Promise<void> {
  const deadlineMs = performance.now() + (options.timeoutMs ?? 5000);
  for (const directory of await cgroupDirectories(path)) {
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
      try {
        await rmdir(directory);
        break;
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'ENOENT') break;
        if (errno !== 'EBUSY' || performance.now() > deadlineMs) throw error;
      }
      await sleep(pauseMs);
    }
  }
}

/** Ids of the processes in a control group, from every hierarchy. */
export async function listCgroupProcesses(path: string): Promise<number[]> {
  const pids = new Set<number>();
  for (const directory of await cgroupDirectories(path)) {
    const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
    for (const word of words(text)) {
      const pid = Number(word);
      if (pid > 1) pids.add(pid);
    }
  }
  return [...pids];
}

/** Sends SIGKILL to all processes in a control group. True when there were some. */
export async function killCgroup(path: string): Promise<boolean> {
  const pids = await listCgroupProcesses(path);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (errnoOf(error) !== 'ESRCH') throw error;
    }
  }
  return pids.length > 0;
}

/** How often the kernel killed a process in it for want of memory; 0 when it cannot be known. */
export async function readCgroupOomKills(path: string): Promise<number> {
  let kills = 0;
  for (const directory of await cgroupDirectories(path)) {
    for (const file of ['memory.events', 'memory.oom_control']) {
      const text = await readFile(join(directory, file), 'utf8').catch(() => '');
      const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
      kills = Math.max(kills, Number(count ?? 0));
    }
  }
  return kills;
}
