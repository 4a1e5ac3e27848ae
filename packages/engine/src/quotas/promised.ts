import type { SandboxLimits } from '@sandport/driver';
import { type Entry, hasProcesses, specOf } from '../sandboxes/entry.ts';

/** What a sandbox, or a namespace, may take at most. */
export interface Promised {
  readonly sandboxes: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export const nothing: Promised = { sandboxes: 0, memoryBytes: 0, diskBytes: 0 };

/** What a sandbox with these limits is promised. @param processes it has some, or will */
export const promiseOf = (
  { memoryBytes, diskBytes = 0 }: SandboxLimits,
  processes: boolean,
): Promised => ({ sandboxes: 1, memoryBytes: processes ? memoryBytes : 0, diskBytes });

/** What a sandbox is promised in the state that it is in: memory only while it has processes. */
export const promiseNow = (entry: Entry): Promised =>
  promiseOf(specOf(entry.row).limits, takesMemory(entry));

/** Whether the memory that the sandbox is promised is not the machine's to give away. */
export function takesMemory({ row: { status }, sandbox }: Entry): boolean {
  if (status === 'deleted') return hasProcesses(sandbox);
  return status === 'creating' || status === 'running' || status === 'paused';
}

export const sum = (one: Promised, other: Promised): Promised => ({
  sandboxes: one.sandboxes + other.sandboxes,
  memoryBytes: one.memoryBytes + other.memoryBytes,
  diskBytes: one.diskBytes + other.diskBytes,
});

/** The greater one of each. */
export const most = (one: Promised, other: Promised): Promised => ({
  sandboxes: Math.max(one.sandboxes, other.sandboxes),
  memoryBytes: Math.max(one.memoryBytes, other.memoryBytes),
  diskBytes: Math.max(one.diskBytes, other.diskBytes),
});
