import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupInfo, mountedCgroups } from './cgroups.ts';

/** What the processes of a control group use. */
export interface CgroupUsage {
  /** Processor time since the group was made. */
  readonly cpuSeconds: number;
  /** Without file contents that the kernel keeps only as long as nobody needs the memory. */
  readonly memoryBytes: number;
  /** Most that there ever was, those file contents too; undefined where the kernel does not tell. */
  readonly memoryPeakBytes?: number | undefined;
  /** Processes and threads. */
  readonly tasks: number;
}

/**
 * Reads some small files. What the kernel does not tell is 0, as for a group that is not there.
 * @param path of the group, below the hierarchies' roots
 */
export async function readCgroupUsage(path: string): Promise<CgroupUsage> {
  const info = await mountedCgroups();
  const [cpuacct, cpu] = [directory(info, 'cpuacct', path), directory(info, 'cpu', path)];
  const memory = directory(info, 'memory', path);
  const pids = directory(info, 'pids', path);
  return {
    cpuSeconds:
      cpuacct === undefined
        ? fieldOf(read(cpu, 'cpu.stat'), 'usage_usec') / 1e6
        : Number(read(cpuacct, 'cpuacct.usage') || 0) / 1e9,
    ...memoryOf(memory),
    tasks: Number(read(pids, 'pids.current') || 0),
  };
}

function memoryOf(memory: string | undefined): Omit<CgroupUsage, 'cpuSeconds' | 'tasks'> {
  const stat = read(memory, 'memory.stat');
  // A group of version 1 counts those below it in fields with a name of their own.
  const total = fieldOf(stat, 'total_inactive_file');
  const kept = total === 0 ? fieldOf(stat, 'inactive_file') : total;
  const used = Number(read(memory, 'memory.current') || read(memory, 'memory.usage_in_bytes') || 0);
  const peak = read(memory, 'memory.peak') || read(memory, 'memory.max_usage_in_bytes');
  return {
    memoryBytes: Math.max(used - kept, 0),
    ...(peak === '' ? {} : { memoryPeakBytes: Number(peak) }),
  };
}

function directory({ hierarchies }: CgroupInfo, controller: string, path: string) {
  const found = hierarchies.find(({ controllers }) => controllers.includes(controller));
  return found === undefined ? undefined : join(found.mountPoint, path);
}

/** Empty when the file is not there. */
function read(dir: string | undefined, file: string): string {
  if (dir === undefined) return '';
  try {
    return readFileSync(join(dir, file), 'latin1').trim();
  } catch {
    return '';
  }
}

/** A line of the form "name number"; 0 when there is none. */
function fieldOf(text: string, name: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
