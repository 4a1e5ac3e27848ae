import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestDaemon } from './daemon.ts';
import { waitFor } from './wait-for.ts';

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

const hashOf = ({ dataDir }: TestDaemon): string =>
  createHash('sha256').update(dataDir).digest('hex').slice(0, 12);

/** Where the sockets and the mounted roots of the daemon's sandboxes lie. */
export const runDirOf = (daemon: TestDaemon): string => join('/run/sandport', hashOf(daemon));

/**
 * Everything on this machine that belongs to a sandbox of the daemon, by the sandbox's id: mounts,
 * processes, control groups, files of the daemon and of the runtimes.
 */
export function idsOnMachine(daemon: TestDaemon): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const hash = hashOf(daemon);
  const runDir = runDirOf(daemon);
  const note = (kind: string, text: string) => {
    for (const [id] of text.matchAll(uuid))
      found.set(id, [...(found.get(id) ?? []), `${kind}: ${text.trim().slice(0, 200)}`]);
  };
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n'))
    if (line.includes(daemon.dataDir) || line.includes(runDir)) note('mount', line);
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
    if (command.includes(runDir) || command.includes(daemon.dataDir)) note('process', command);
  }
  for (const hierarchy of ['.', ...names('/sys/fs/cgroup')]) {
    const parent = join('/sys/fs/cgroup', hierarchy, 'sandport', hash);
    for (const name of names(parent)) note('cgroup', join(parent, name));
  }
  for (const folder of ['sandboxes', 'snapshots', 'trash'])
    for (const name of names(join(daemon.dataDir, folder)))
      note('file', join(daemon.dataDir, folder, name));
  for (const folder of names(runDir))
    for (const name of names(join(runDir, folder))) note('file', join(runDir, folder, name));
  return found;
}

/** Waits until exactly these sandboxes, and nothing of any other, are on the machine. */
export async function waitForOnly(daemon: TestDaemon, ids: readonly string[]): Promise<void> {
  const expected = new Set(ids);
  let strangers: string[] = [];
  let missing: string[] = [];
  const look = () => {
    const found = idsOnMachine(daemon);
    strangers = [...found].flatMap(([id, traces]) => (expected.has(id) ? [] : traces));
    missing = ids.filter((id) => !found.has(id));
    return strangers.length + missing.length === 0;
  };
  try {
    await waitFor(look, { timeoutMs: 10_000, intervalMs: 100 });
  } catch (error) {
    throw new Error(`left behind:\n${strangers.join('\n')}\nmissing: ${missing.join(', ')}`, {
      cause: error,
    });
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // It is not there, or is being removed.
    return [];
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The process has ended.
    return '';
  }
}
