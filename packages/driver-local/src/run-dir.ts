import { chmodSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeCgroup } from '@sandport/linux';
import type { Layout } from './layout.ts';

/** Makes the driver's directories. @throws Error when guests' ids cannot reach the run directory */
export function makeDirectories(layout: Layout): void {
  const { dataDir, sandboxes, volumes, snapshots, staging, trash } = layout;
  for (const directory of [dataDir, sandboxes, volumes, snapshots, staging, trash])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  mkdirSync(layout.runDir, { recursive: true, mode: 0o711 });
  // Sandboxes have ids of their own and walk through these; nobody can list them.
  for (const directory of [layout.runDir, layout.roots, layout.controls]) {
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o711);
  }
  for (const directory of [layout.bundles, ...stateDirs(layout)])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (let path = dirname(layout.runDir); path !== '/'; path = dirname(path))
    if ((statSync(path).mode & 0o001) === 0)
      throw new Error(
        `sandboxes cannot reach ${layout.runDir}: run chmod o+x ${path}, or choose another runDir`,
      );
}

/** Takes the run directory and the cgroup away when no sandbox is left in them. */
export async function removeWhenEmpty(layout: Layout): Promise<void> {
  const inUse = [layout.roots, layout.controls, layout.bundles];
  if (inUse.some((directory) => listNames(directory).length > 0)) return;
  for (const directory of inUse) rmdirSync(directory);
  for (const directory of [...stateDirs(layout), layout.initBinaries])
    rmSync(directory, { recursive: true, force: true });
  if (listNames(layout.runDir).length === 0) rmdirSync(layout.runDir);
  await removeCgroup(layout.cgroup, { timeoutMs: 500 });
}

/** Where the runtimes keep their state. */
const stateDirs = ({ runDir }: Layout) =>
  ['runc', 'crun', 'runsc'].map((name) => join(runDir, name));

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
