import type { Isolation } from '@sandport/protocol';
import { findProgram } from '@sandport/linux';
import type { Runtime } from '../runtimes/runtime.ts';
import type { MachineRow } from './report.ts';
import type { TrialResult } from './trial.ts';

const packages: Record<Isolation, string> = { container: 'runc', gvisor: 'runsc' };
const losses: Record<Isolation, string> = {
  container: 'the isolation `container` does not work',
  gvisor: 'the isolation `gvisor` does not work; sandboxes share the kernel of the host',
};

/** Whether a runtime is installed and whether it starts a sandbox. */
export function runtimeRow(
  isolation: Isolation,
  runtime: Runtime | undefined,
  trial: TrialResult | undefined,
): MachineRow {
  const name = `isolation ${isolation}`;
  if (runtime === undefined)
    return {
      name,
      status: 'missing',
      detail: `${packages[isolation]} is not installed`,
      cost: losses[isolation],
      fix: `apt-get install ${packages[isolation]}`,
    };
  const what = `${runtime.name} ${runtime.version}`;
  if (trial?.works)
    return { name, status: 'ok', detail: `${what} started a sandbox in ${trial.durationMs} ms` };
  return {
    name,
    status: 'missing',
    detail: `${what} cannot start a sandbox: ${trial?.reason ?? 'it was not tried without root'}`,
    cost: losses[isolation],
  };
}

/** Programs that are called beside the runtimes. */
export function programRows(): MachineRow[] {
  return [
    programRow('mmdebstrap', 'mmdebstrap', 'templates cannot be built'),
    programRow('mkfs.ext4', 'e2fsprogs', 'sandboxes with `disk_mb` cannot be created'),
    programRow('unshare', 'util-linux', 'container sandboxes cannot run'),
    programRow('setpriv', 'util-linux', 'templates cannot be built'),
    optionalRow('skopeo', 'templates cannot be made of images'),
    optionalRow('umoci', 'templates cannot be made of images'),
    optionalRow('buildah', 'templates cannot be made of Dockerfiles'),
  ];
}

function programRow(name: string, debianPackage: string, cost: string): MachineRow {
  const program = findProgram(name);
  return program === undefined
    ? {
        name,
        status: 'missing',
        detail: 'not installed',
        cost,
        fix: `apt-get install ${debianPackage}`,
      }
    : { name, status: 'ok', detail: program };
}

/** What only some templates need. */
function optionalRow(name: string, cost: string): MachineRow {
  const row = programRow(name, name, cost);
  return row.status === 'ok' ? row : { ...row, status: 'degraded' };
}
