import { readdirSync } from 'node:fs';
import type { AdoptionReport, DriverSandbox, SandboxSpec, StoppedSandbox } from '@sandport/driver';
import { listMounts } from '@sandport/linux';
import type { SandboxId } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import { diskPlaces, emptyStaging } from '../storage/places.ts';
import { collectDisks } from '../storage/pool.ts';
import { adoptSandbox } from './adopt-one.ts';
import { deleteTrash, removeSandbox } from './remove.ts';
import { killStrayProcesses } from './stray-processes.ts';

/**
 * Takes over the known sandboxes that live, mounts the disks of those that do not, and removes
 * whatever else lies in the driver's directories and control groups.
 */
export async function adoptSandboxes(
  context: DriverContext,
  known: readonly SandboxSpec[],
): Promise<AdoptionReport> {
  const running: DriverSandbox[] = [];
  const stopped: StoppedSandbox[] = [];
  const lost: SandboxId[] = [];
  const mountPoints = new Set((await listMounts()).map((mount) => mount.mountPoint));
  const adopt = async (spec: SandboxSpec) => {
    try {
      const found = await adoptSandbox(context, spec, mountPoints);
      if (found === undefined) lost.push(spec.id);
      else if ('died' in found) running.push(found);
      else stopped.push(found);
    } catch (error) {
      context.log('error', 'a sandbox cannot be taken over', {
        sandbox: spec.id,
        error: String(error),
      });
      lost.push(spec.id);
    }
  };
  await Promise.all(known.map((spec) => context.starts.run(() => adopt(spec))));
  // The files of a known one stay until it is removed by name, whatever keeps it from being taken over.
  await removeUnknown(context, new Set(known.map((spec) => spec.id)));
  await context.network.recover(context.held.values());
  return { running, stopped, lost };
}

/** Removes every sandbox of this driver that nobody knows, and what earlier removals left. */
async function removeUnknown(context: DriverContext, keep: ReadonlySet<string>): Promise<void> {
  const { layout } = context;
  killStrayProcesses(layout, keep);
  const cgroups = context.cgroup.children(layout.cgroup);
  const found = new Set([
    ...listNames(layout.sandboxes),
    ...listNames(layout.roots),
    ...listNames(layout.controls),
    ...listNames(layout.bundles),
    ...cgroups,
  ]);
  const remove = (id: string) =>
    context.starts.run(() =>
      removeSandbox(context, id).catch((error: unknown) =>
        context.log('error', 'cannot remove what is left of a sandbox', {
          sandbox: id,
          error: String(error),
        }),
      ),
    );
  await Promise.all([...found].filter((id) => !keep.has(id)).map(remove));
  emptyStaging(layout);
  await collectDisks(layout.dataDir, diskPlaces(layout));
  for (const name of listNames(layout.trash)) void deleteTrash(context, name);
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
