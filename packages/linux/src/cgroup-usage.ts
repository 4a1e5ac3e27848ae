import { closeSync, openSync, readSync } from 'node:fs';
import { type CgroupHierarchy, mountedCgroups } from './cgroups.ts';

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
 * Reads some small files, which takes less than a tenth of a millisecond. What the kernel does not
 * tell is 0, as for a group that is not there.
 * @param path of the group, below the hierarchies' roots
 */
export async function readCgroupUsage(path: string): Promise<CgroupUsage> {
  const { hierarchies } = await mountedCgroups();
  const read = (controller: string, ...files: FileOfVersion): string => {
    const found = hierarchies.find(({ controllers }) => controllers.includes(controller));
    return found === undefined ? '' : readSmall(fileIn(found, path, files));
  };
  const stat = read('memory', 'memory.stat', 'memory.stat');
  const used = Number(read('memory', 'memory.usage_in_bytes', 'memory.current'));
  // A group of version 1 counts those below it in fields with a name of their own.
  const kept = fieldOf(stat, 'total_inactive_file') ?? fieldOf(stat, 'inactive_file') ?? 0;
  const peak = read('memory', 'memory.max_usage_in_bytes', 'memory.peak');
  const cpuNs = read('cpuacct', 'cpuacct.usage', 'cpu.stat');
  const cpuUs = cpuNs === '' ? fieldOf(read('cpu', 'cpu.stat', 'cpu.stat'), 'usage_usec') : 0;
  return {
    cpuSeconds: Number(cpuNs) / 1e9 + (cpuUs ?? 0) / 1e6,
    memoryBytes: Math.max(used - kept, 0),
    ...(peak === '' ? {} : { memoryPeakBytes: Number(peak) }),
    tasks: Number(read('pids', 'pids.current', 'pids.current')),
  };
}

/** Names of one file in version 1 and in version 2. */
type FileOfVersion = readonly [first: string, second: string];

const fileIn = (
  { mountPoint, version }: CgroupHierarchy,
  path: string,
  [first, second]: FileOfVersion,
): string => `${mountPoint}/${path}/${version === 1 ? first : second}`;

/** The files of a group are smaller. */
const buffer = Buffer.alloc(16_384);

/** Empty when the file is not there. */
function readSmall(file: string): string {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    const bytes = readSync(fd, buffer, 0, buffer.length, 0);
    return buffer.toString('latin1', 0, bytes).trim();
  } catch {
    return '';
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** A line of the form "name number". */
function fieldOf(text: string, name: string): number | undefined {
  const at = text.startsWith(`${name} `) ? 0 : text.indexOf(`\n${name} `) + 1;
  if (at === 0 && !text.startsWith(`${name} `)) return undefined;
  return Number.parseInt(text.slice(at + name.length + 1), 10);
}
