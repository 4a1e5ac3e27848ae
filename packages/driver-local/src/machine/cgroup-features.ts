import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupInfo, detectCgroups } from '@sandport/linux';

/** What the control groups of this machine can enforce, and where memory kills are counted. */
export interface CgroupFeatures {
  readonly mode: CgroupInfo['mode'];
  readonly cpuQuota: boolean;
  readonly memory: boolean;
  readonly pids: boolean;
  /** Whether swap can be limited too. */
  readonly swap: boolean;
  /** How often the kernel killed in the group for want of memory; 0 when it cannot be known. */
  readonly oomKills: (path: string) => number;
  /** Names of the groups below one, in any hierarchy. */
  readonly children: (path: string) => readonly string[];
}

/** Looks at the mounted hierarchies. Never throws. */
export async function cgroupFeatures(): Promise<CgroupFeatures> {
  const { mode, hierarchies } = await detectCgroups();
  const of = (controller: string) =>
    hierarchies.find((each) => each.controllers.includes(controller));
  const memory = of('memory');
  const cpu = of('cpu');
  const memoryMount = memory?.mountPoint ?? '';
  return {
    mode,
    memory: memory !== undefined,
    pids: of('pids') !== undefined,
    cpuQuota: cpu !== undefined && hasQuota(cpu.mountPoint, cpu.version),
    swap: memory?.version === 2 || existsSync(join(memoryMount, 'memory.memsw.limit_in_bytes')),
    oomKills: (path) =>
      memory === undefined
        ? 0
        : readOomKills(
            join(memoryMount, path, memory.version === 2 ? 'memory.events' : 'memory.oom_control'),
          ),
    children: (path) => [
      ...new Set(hierarchies.flatMap((each) => groupsIn(join(each.mountPoint, path)))),
    ],
  };
}

function groupsIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** Version 2 shows the file only in groups below the root. */
function hasQuota(mountPoint: string, version: 1 | 2): boolean {
  if (version === 1) return existsSync(join(mountPoint, 'cpu.cfs_quota_us'));
  const has = (group: string, file: string) => existsSync(join(mountPoint, group, file));
  const withCpu = groupsIn(mountPoint).filter((group) => has(group, 'cpu.weight'));
  return withCpu.length === 0 || withCpu.some((group) => has(group, 'cpu.max'));
}

function readOomKills(file: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
