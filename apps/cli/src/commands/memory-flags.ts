import type { Command } from 'commander';
import { UsageError } from '../usage-error.ts';

/** Whether processes are kept with the disk. */
export interface MemoryFlags {
  diskOnly?: boolean;
  withMemory?: boolean;
}

export function addMemoryFlags(command: Command): Command {
  return command
    .option('--disk-only', 'leave the processes out')
    .option('--with-memory', 'an error where the processes cannot be kept');
}

/** What they say; undefined: where the isolation can. */
export function memoryOf({ diskOnly, withMemory }: MemoryFlags): boolean | undefined {
  if (diskOnly === true && withMemory === true) {
    throw new UsageError('--disk-only and --with-memory do not go together.');
  }
  return diskOnly === true ? false : withMemory;
}
