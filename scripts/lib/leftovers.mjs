import { rmdirSync, rmSync } from 'node:fs';
import { removeNetworks } from './network-traces.mjs';
import { endProcess, signalProcess } from './process-identity.mjs';
import { run } from './run.mjs';
import { deadRuns } from './run-marker.mjs';
import { tracesOf } from './traces.mjs';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Ends and removes everything that belongs to a run, each thing by its own identity: processes by
 * pid and start time, mounts and cgroups by path. The guests are dead before their trees are
 * touched, so nobody can change a path under the unmounting and removing.
 */
export async function removeTraces(marker) {
  // Some are found by their mounts.
  const { runDirs } = tracesOf(marker);
  await endAll(marker);
  await unmountAll(marker);
  removeNetworks(tracesOf(marker).networks, runDirs);
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { cgroups } = tracesOf(marker);
    if (cgroups.length === 0) break;
    for (const path of cgroups) removeEmptyCgroup(path);
    if (attempt > 0) await pause(20);
  }
  // rm works on descriptors, so it copes with trees that are deeper than any path may be long.
  await run('rm', ['-rf', '--one-file-system', '--', ...runDirs, marker.tempDir]);
}

/** Daemons and clients first get the chance to end by themselves; guests do not. */
async function endAll(marker) {
  const { processes } = tracesOf(marker);
  await Promise.all(
    processes
      .filter(({ command }) => /^\S*(node|python[\d.]*)\s/.test(command))
      .map((identity) => endProcess(identity, { graceMs: 5_000 })),
  );
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const rest = tracesOf(marker).processes;
    if (rest.length === 0) return;
    for (const identity of rest) signalProcess(identity, 'SIGKILL');
    await pause(50);
  }
}

/** Detaches the topmost mounts with all that is mounted below them. */
async function unmountAll(marker) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { mounts } = tracesOf(marker);
    const top = mounts.filter(
      (path) => !mounts.some((other) => other !== path && path.startsWith(`${other}/`)),
    );
    if (top.length === 0) return;
    await run('umount', ['--lazy', '--no-canonicalize', '--', ...new Set(top)]);
  }
}

function removeEmptyCgroup(path) {
  try {
    rmdirSync(path);
  } catch {
    // Busy until the last process in it has been reaped: the caller tries again.
  }
}

/** Cleans up after runs whose own clean-up never came. Resolves to how many there were. */
export async function removeDeadRuns() {
  const dead = deadRuns();
  for (const marker of dead) {
    await removeTraces(marker);
    rmSync(marker.path, { force: true });
  }
  return dead.length;
}
