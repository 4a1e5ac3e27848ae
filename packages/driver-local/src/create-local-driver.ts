import { SpillBudget } from './commands/kept/spill-budget.ts';
import { closeSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Driver } from '@sandport/driver';
import { initBinaryPath, preloadLibraryPath } from '@sandport/guest-init';
import { createUserNamespace, Limiter } from '@sandport/linux';
import type { Isolation } from '@sandport/protocol';
import type { CreateStep, DriverContext } from './context.ts';
import { installInit } from './init-copy.ts';
import { Layout, machineRunDir } from './layout.ts';
import { LocalDriver } from './local-driver.ts';
import { cgroupFeatures } from './machine/cgroup-features.ts';
import { readPrivileges } from './machine/privileges.ts';
import { LocalNetwork } from './network/local-network.ts';
import { networkProblem } from './network/machine.ts';
import type { LocalDriverOptions } from './options.ts';
import { makeDirectories } from './run-dir.ts';
import type { Runtime } from './runtimes/runtime.ts';
import { usableRuntimes } from './machine/usable-runtimes.ts';
import { IdRanges } from './sandbox/id-ranges.ts';
import { LivenessWatch } from './sandbox/liveness.ts';
import { readRecord } from './sandbox/record.ts';
import { openDisks } from './storage/pool.ts';
import { LocalTemplates } from './templates/template-store.ts';
import { LocalVolumes } from './volumes.ts';

/** Runtimes that start at one time; more only get in each other's way. */
const startsAtOnce = 8;

/**
 * A driver for sandboxes on this machine. Call `adopt` once before anything else.
 * @throws Error when it cannot work here at all, with a sentence that says why
 */
export async function createLocalDriver(options: LocalDriverOptions): Promise<Driver> {
  return new LocalDriver(await makeContext(options));
}

export interface ContextHooks {
  readonly onStep?: (step: CreateStep) => void;
}

/** What a driver stands on; `hooks` are for tests. */
export async function makeContext(
  options: LocalDriverOptions,
  hooks: ContextHooks = {},
): Promise<DriverContext> {
  if (process.getuid?.() !== 0)
    throw new Error('sandboxes on this machine need root: start the daemon with sudo');
  const dataDir = resolve(options.dataDir);
  const problem = options.network?.mode === 'on' ? networkProblem('on') : undefined;
  if (problem !== undefined) throw new Error(`sandboxes cannot have networks: ${problem}`);
  const layout = new Layout(dataDir, options.runDir);
  makeDirectories(layout);
  const log = options.log ?? (() => {});
  const disks = await openDisks(dataDir, options);
  const cgroup = await cgroupFeatures();
  const privileges = readPrivileges();
  const initBinary = installInit(initBinaryPath(), layout.initBinaries);
  mkdirSync(machineRunDir, { recursive: true, mode: 0o711 });
  const usable = await usableRuntimes(
    { directory: machineRunDir, initBinary, cgroup, privileges },
    dataDir,
    log,
  );
  const wanted = options.isolation ?? 'auto';
  const runtimes = new Map<Isolation, Runtime>();
  for (const [isolation, runtime] of usable)
    if (wanted === 'auto' || wanted === isolation) runtimes.set(isolation, runtime);
  const ranges = new IdRanges({
    seed: Number.parseInt(layout.hash.slice(0, 8), 16),
    createNamespace: createUserNamespace,
    closeNamespace: closeSync,
  });
  reserveUsedRanges(layout, ranges);
  if (runtimes.has('container')) ranges.prepare();
  return {
    layout,
    log,
    runtimes,
    cgroup,
    privileges,
    templates: new LocalTemplates(options.templatesDir ?? join(dataDir, 'templates')),
    volumes: new LocalVolumes(layout, disks),
    disks,
    ranges,
    network: new LocalNetwork({ ...options.network, layout, log }),
    starts: new Limiter(startsAtOnce),
    liveness: new LivenessWatch(),
    spillBudget: new SpillBudget(),
    initBinary,
    preloadLibrary: preloadLibraryPath(),
    held: new Map(),
    background: new Set(),
    onStep: hooks.onStep,
  };
}

/** Sandboxes of an earlier driver may still run with their ids. */
function reserveUsedRanges(layout: Layout, ranges: IdRanges): void {
  for (const id of readdirSync(layout.sandboxes)) {
    const record = readRecord(layout.sandbox(id).record);
    if (record?.isolation === 'container') ranges.reserve(record.idBase);
  }
}
