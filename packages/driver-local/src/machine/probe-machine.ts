import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { initBinaryPath } from '@sandport/guest-init';
import type { Isolation } from '@sandport/protocol';
import { installInit } from '../init-copy.ts';
import { findContainerRuntime, findGvisorRuntime } from '../runtimes/runtime.ts';
import { cgroupFeatures } from './cgroup-features.ts';
import {
  cgroupRow,
  diskRow,
  existing,
  kernelRow,
  optionalRows,
  overlayRows,
  rootRow,
  seccompRow,
  userNamespaceRow,
} from './kernel-rows.ts';
import { readPrivileges } from './privileges.ts';
import { networkRow } from './network-row.ts';
import { programRows, runtimeRow } from './program-rows.ts';
import type { MachineReport, MachineRow } from './report.ts';
import { tryRuntime, type TrialResult } from './trial.ts';
import { machineRunDir } from '../layout.ts';

export interface ProbeMachineOptions {
  /** Where sandboxes would have their disks; need not exist. */
  readonly dataDir: string;
}

/** Rows without which no isolation works. */
const neededByAll = new Set(['kernel', 'root', 'cgroups', 'overlay', 'guest init']);
const neededByContainer = new Set(['id-mapped overlay', 'user namespaces', 'seccomp', 'unshare']);

/** What this machine can do, with a real start of each runtime. Never throws. */
export async function probeMachine({ dataDir }: ProbeMachineOptions): Promise<MachineReport> {
  const [cgroup, gvisor, container] = await Promise.all([
    cgroupFeatures(),
    findGvisorRuntime(),
    findContainerRuntime(),
  ]);
  const root = process.getuid?.() === 0;
  const init = initRow();
  const trial = async (runtime: typeof gvisor): Promise<TrialResult | undefined> => {
    if (!root || runtime === undefined || init.status !== 'ok') return undefined;
    try {
      mkdirSync(machineRunDir, { recursive: true, mode: 0o711 });
      const initBinary = installInit(initBinaryPath(), join(machineRunDir, 'bin'));
      const privileges = readPrivileges();
      return await tryRuntime({
        runtime,
        directory: machineRunDir,
        initBinary,
        cgroup,
        privileges,
      });
    } catch (error) {
      return { works: false, reason: String(error), durationMs: 0 };
    }
  };
  const trials = { gvisor: await trial(gvisor), container: await trial(container) };
  const rows: MachineRow[] = [
    kernelRow(),
    rootRow(),
    cgroupRow(cgroup),
    ...(root ? await overlayRows(existing(dataDir)) : []),
    userNamespaceRow(),
    seccompRow(),
    init,
    runtimeRow('gvisor', gvisor, trials.gvisor),
    runtimeRow('container', container, trials.container),
    ...programRows(),
    networkRow(),
    diskRow(dataDir),
    ...optionalRows(),
  ];
  const missing = new Set(rows.filter((row) => row.status === 'missing').map((row) => row.name));
  const free = (names: ReadonlySet<string>) => ![...names].some((name) => missing.has(name));
  const isolations: Isolation[] = [];
  if (free(neededByAll) && trials.gvisor?.works) isolations.push('gvisor');
  if (free(neededByAll) && free(neededByContainer) && trials.container?.works)
    isolations.push('container');
  return { rows, isolations };
}

function initRow(): MachineRow {
  try {
    initBinaryPath();
    return { name: 'guest init', status: 'ok', detail: 'built' };
  } catch {
    return {
      name: 'guest init',
      status: 'missing',
      detail: 'not built',
      cost: 'no sandbox can be started',
      fix: 'npm run setup',
    };
  }
}
