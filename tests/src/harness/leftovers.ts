import { readdirSync, readlinkSync } from 'node:fs';
import { expect } from 'vitest';
import type { UsedDaemon } from './use-daemon.ts';
import { waitFor } from './wait-for.ts';

/** Names that the daemon gives to files of uploads that are not whole yet. */
export const temporaryPrefix = '.sandport-';

/** What the process holds open, as the kernel names it. */
export function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed since the directory was read.
      return [];
    }
  });
}

/** Files that the process holds open and that have no name: uploads under way, mostly. */
export const namelessFiles = (pid: number): string[] =>
  openFiles(pid).filter((target) => target.startsWith('/') && target.endsWith(' (deleted)'));

/** Temporary files with a name anywhere on the sandbox's own disk. */
export async function temporaryFiles({ api }: UsedDaemon, id: string): Promise<string[]> {
  const found = await api.exec(id, `find / -xdev -name '${temporaryPrefix}*' 2>/dev/null`, {
    user: 'root',
  });
  return found.stdout.split('\n').filter((line) => line !== '');
}

/**
 * What must hold after any bad request: nothing half-written is left, with or without a name, and
 * the daemon still writes and reads.
 */
export async function expectNothingLeft(used: UsedDaemon, id: string): Promise<void> {
  await waitFor(() => namelessFiles(used.daemon.pid).length === 0, {
    timeoutMs: 5_000,
    what: 'the release of unfinished files',
  });
  expect(await temporaryFiles(used, id)).toEqual([]);
  await expectServing(used, id);
}

/** The daemon answers, writes and reads. */
export async function expectServing({ api }: UsedDaemon, id: string): Promise<void> {
  const text = `still here at ${performance.now()}`;
  await api.write(id, '/tmp/still-serving', text);
  expect((await api.read(id, '/tmp/still-serving')).toString()).toBe(text);
}
