import { existsSync, readdirSync } from 'node:fs';
import type { AdoptionReport, DriverSandbox, SandboxSpec, StoppedSandbox } from '@sandport/driver';
import { InitChannel } from '@sandport/guest-init';
import { isAlive, listMounts } from '@sandport/linux';
import type { SandboxId } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import { diskPlaces, emptyStaging } from '../storage/places.ts';
import { collectDisks } from '../storage/pool.ts';
import { findUser } from '../templates/passwd.ts';
import { killSandbox } from './end-processes.ts';
import { guestLog } from './guest-log.ts';
import { HeldSandbox } from './held-sandbox.ts';
import { keepWatch } from './keep-watch.ts';
import type { ProcessIdentity } from './liveness.ts';
import { LiveSandbox } from './live-sandbox.ts';
import { readRecord } from './record.ts';
import { deleteTrash, removeSandbox } from './remove.ts';
import { SandboxRoot, type SandboxRootOptions } from './sandbox-root.ts';
import { killStrayProcesses } from './stray-processes.ts';

/** How long an init that lives may take to come back; it tries at least twice a second. */
const reconnectTimeoutMs = 2000;

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
      const found = await adoptOne(context, spec, mountPoints);
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
  return { running, stopped, lost };
}

async function adoptOne(
  context: DriverContext,
  spec: SandboxSpec,
  mountPoints: ReadonlySet<string>,
): Promise<DriverSandbox | StoppedSandbox | undefined> {
  const layout = context.layout.sandbox(spec.id);
  const record = readRecord(layout.record);
  if (!record || !existsSync(layout.disk)) {
    // Nobody knows which ids its processes have: they must not meet those of a new sandbox.
    await killSandbox(layout, undefined);
    return undefined;
  }
  const template = context.templates.find(record.template, record.templateVersion);
  if (!template) throw new Error(`its template ${record.template} is gone`);
  const owner = findUser(template.passwd, spec.user);
  if (!owner) throw new Error(`its template has no user ${spec.user}`);
  const options = { layout, record, template, owner };
  const { process } = record;
  const alive = process !== undefined && isAlive(process.pid, process.startTime);
  if (alive && mountPoints.has(layout.root)) {
    const held = new HeldSandbox({ ...options, spec, root: SandboxRoot.open(options) });
    return adoptLiving(context, held, process);
  }
  await killSandbox(layout, process);
  const root = await reopenRoot(context, spec, options, mountPoints);
  if (root === undefined) return undefined;
  context.held.set(spec.id, new HeldSandbox({ ...options, spec, root }));
  removeUnfinished(context, spec.id, root);
  const reason = 'its processes ended while the daemon was not running';
  return { id: spec.id, files: root.files, reason };
}

async function adoptLiving(
  context: DriverContext,
  held: HeldSandbox,
  process: ProcessIdentity,
): Promise<LiveSandbox> {
  const { id, layout, record, root } = held;
  const channel = await InitChannel.listen({
    socketPath: layout.socket,
    token: record.token,
    onLog: guestLog(context.log, id),
  });
  removeUnfinished(context, id, root);
  const live = new LiveSandbox({
    held,
    channel,
    oomKills: () => context.cgroup.oomKills(layout.cgroup),
    checkAlive: () => context.liveness.check(id),
  });
  context.held.set(id, held);
  keepWatch(context, held, live, process);
  // One that does not come back is alive all the same: its commands say so, its files work.
  await channel
    .whenConnected(reconnectTimeoutMs)
    .catch(() =>
      context.log('warn', 'the init of a sandbox has not come back yet', { sandbox: id }),
    );
  return live;
}

/** Removes, aside, what copies left that the end of the last daemon cut off. */
function removeUnfinished(context: DriverContext, id: SandboxSpec['id'], root: SandboxRoot): void {
  root.fs.removeUnfinished().catch((error: unknown) =>
    context.log('warn', 'what is left of a copy could not be removed', {
      sandbox: id,
      error: String(error),
    }),
  );
}

/** The root of a sandbox without processes, mounted again where a reboot took it away. */
async function reopenRoot(
  context: DriverContext,
  spec: SandboxSpec,
  options: SandboxRootOptions,
  mountPoints: ReadonlySet<string>,
): Promise<SandboxRoot | undefined> {
  const { layout } = options;
  if (mountPoints.has(layout.root)) return SandboxRoot.open(options);
  await context.disks.open(layout);
  if (!existsSync(layout.upper)) return undefined;
  return SandboxRoot.mount(context, spec, options);
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
