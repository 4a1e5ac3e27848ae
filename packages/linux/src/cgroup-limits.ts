import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupDirectories } from './cgroups.ts';
import { errnoOf } from './ffi/system-error.ts';

/** Limits of a control group; what is left out stays as it is. */
export interface CgroupLimits {
  /** Of memory and swap together. */
  readonly memoryBytes?: number;
  readonly pids?: number;
  readonly cpu?: {
    /** Weight against other groups, in the unit of version 1: 1024 for one core. */
    readonly shares: number;
    /** Processor time in each period; undefined where the kernel has no quota. */
    readonly quotaUs?: number | undefined;
    readonly periodUs: number;
  };
}

/** The group uses more memory than the new limit allows. Nothing was changed. */
export class CgroupInUseError extends Error {}

/**
 * Changes limits of a control group whose processes run. Controllers that the machine does not have
 * are passed over.
 * @param path below the hierarchies' roots
 * @throws CgroupInUseError; errors of the file system
 */
export async function setCgroupLimits(path: string, limits: CgroupLimits): Promise<void> {
  const directories = await cgroupDirectories(path);
  // Only this one can be refused.
  if (limits.memoryBytes !== undefined)
    for (const directory of directories) await setMemory(directory, limits.memoryBytes);
  for (const directory of directories) {
    if (limits.pids !== undefined) await write(directory, 'pids.max', limits.pids);
    if (limits.cpu !== undefined) await setCpu(directory, limits.cpu);
  }
}

async function setMemory(directory: string, bytes: number): Promise<void> {
  const [file, usage, both] = existsSync(join(directory, 'memory.limit_in_bytes'))
    ? ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'memory.memsw.limit_in_bytes']
    : ['memory.max', 'memory.current', 'memory.swap.max'];
  if (file === 'memory.max') {
    // Version 2 kills where version 1 refuses.
    if ((await readNumber(join(directory, usage))) > bytes) throw inUse(bytes);
    await write(directory, file, bytes);
    return;
  }
  // Version 1 never lets the limit of memory lie above that of memory and swap.
  const raise = (await readNumber(join(directory, file))) < bytes;
  for (const name of raise ? [both, file] : [file, both]) {
    try {
      await write(directory, name, bytes);
    } catch (error) {
      if (errnoOf(error) === 'EBUSY') throw inUse(bytes);
      throw error;
    }
  }
}

async function setCpu(directory: string, cpu: NonNullable<CgroupLimits['cpu']>): Promise<void> {
  const { shares, quotaUs, periodUs } = cpu;
  await write(directory, 'cpu.shares', shares);
  // As runtimes translate shares (2 to 262144) to weights (1 to 10000).
  await write(directory, 'cpu.weight', 1 + Math.floor(((shares - 2) * 9999) / 262_142));
  if (quotaUs === undefined) return;
  await write(directory, 'cpu.cfs_quota_us', quotaUs);
  await write(directory, 'cpu.max', `${quotaUs} ${periodUs}`);
}

/** No error where there is no such file. */
async function write(directory: string, file: string, value: number | string): Promise<void> {
  try {
    await writeFile(join(directory, file), String(value), { flag: 'r+' });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

async function readNumber(file: string): Promise<number> {
  return Number(await readFile(file, 'utf8').catch(() => '0')) || 0;
}

const inUse = (bytes: number) =>
  new CgroupInUseError(`the processes use more memory than ${bytes} bytes`);
