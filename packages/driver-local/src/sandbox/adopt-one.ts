import { existsSync } from 'node:fs';
import type { SandboxSpec, StoppedSandbox } from '@sandport/driver';
import { InitChannel } from '@sandport/guest-init';
import { isAlive, isCgroupFrozen, thawCgroup } from '@sandport/linux';
import { openKept } from '../commands/kept/open-kept.ts';
import type { DriverContext } from '../context.ts';
import { findUser } from '../templates/passwd.ts';
import { killSandbox, removeRuntimeState } from './end-processes.ts';
import { guestLog } from './guest-log.ts';
import { HeldSandbox, type HeldSandboxOptions } from './held-sandbox.ts';
import { asHibernated } from './hibernate.ts';
import { finishStart } from './start-processes.ts';
import { keepWatch } from './keep-watch.ts';
import { interruptedSleep, findProcess, lostWithDaemon } from './interrupted.ts';
import { LiveSandbox } from './live-sandbox.ts';
import type { ProcessIdentity } from './liveness.ts';
import { readRecord } from './record.ts';
import { removeMemoryExcept } from './memory-image.ts';
import { SandboxRoot, type SandboxRootOptions } from './sandbox-root.ts';

/** What is known of a sandbox before its root is open. */
type AdoptedParts = SandboxRootOptions & Omit<HeldSandboxOptions, 'spec' | 'root' | 'kept'>;

/** How long an init that lives may take to come back; it tries at least twice a second. */
const reconnectTimeoutMs = 2000;
/** Longest wait until it is clear whether a sandbox outlived the end of its hibernation. */
const longestDoubtMs = 30_000;

/**
 * Takes over a sandbox of an earlier daemon: with its processes where they live, and with its disk
 * mounted again where a restart of the machine took it away. Undefined when it cannot be.
 */
export async function adoptSandbox(
  context: DriverContext,
  spec: SandboxSpec,
  mountPoints: ReadonlySet<string>,
): Promise<LiveSandbox | StoppedSandbox | undefined> {
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
  // It was to stand still for a moment when the last daemon ended.
  if (record.still) await thawCgroup(layout.cgroup).catch(() => {});
  const process = await findProcess(context.layout, spec.id, record);
  if (process !== undefined && mountPoints.has(layout.root)) {
    const kept = await openKept(context, layout);
    const held = new HeldSandbox({ ...options, spec, root: SandboxRoot.open(options), kept });
    const live = await adoptLiving(context, held, process);
    if (live !== undefined) return live;
    await kept.close();
    held.root.close();
  }
  return adoptStopped(context, spec, options, mountPoints);
}

/** Undefined when it ends, or has to end, because it was about to hibernate. */
async function adoptLiving(
  context: DriverContext,
  held: HeldSandbox,
  process: ProcessIdentity,
): Promise<LiveSandbox | undefined> {
  const { id, layout, record } = held;
  const falling = record.sleep?.phase === 'falling';
  // Without an image to be finished, its processes were being killed.
  if (falling && record.sleep?.image === undefined) return undefined;
  const channel = await InitChannel.listen({
    socketPath: layout.socket,
    token: record.token,
    kept: held.kept.processes,
    onLog: guestLog(context.log, id),
  });
  const frozen = await isCgroupFrozen(layout.cgroup);
  if (falling && !frozen && !(await comesBack(channel, process))) {
    await channel[Symbol.asyncDispose]();
    return undefined;
  }
  const live = new LiveSandbox({
    held,
    channel,
    oomKills: () => context.cgroup.oomKills(layout.cgroup),
    checkAlive: () => context.liveness.check(id),
  });
  if (frozen) live.setPaused(true);
  if (record.sleep?.phase === 'rising') await finishStart(held);
  held.updateRecord({ process, sleep: undefined, still: undefined });
  removeMemoryExcept(layout, undefined);
  removeUnfinished(context, held);
  context.held.set(id, held);
  keepWatch(context, held, live, process);
  // One that does not come back is alive all the same: its commands say so, its files work.
  if (!frozen)
    await channel
      .whenConnected(reconnectTimeoutMs)
      .then(() => channel.whenListed(reconnectTimeoutMs))
      .catch(() =>
        context.log('warn', 'the init of a sandbox has not come back yet', { sandbox: id }),
      );
  return live;
}

/** Whether processes whose memory is perhaps being written go on afterwards. */
async function comesBack(channel: InitChannel, process: ProcessIdentity): Promise<boolean> {
  const untilMs = performance.now() + longestDoubtMs;
  while (performance.now() < untilMs) {
    if (!isAlive(process.pid, process.startTime)) return false;
    const connected = await channel.whenConnected(100).then(
      () => true,
      () => false,
    );
    if (connected) return true;
  }
  return false;
}

async function adoptStopped(
  context: DriverContext,
  spec: SandboxSpec,
  options: AdoptedParts,
  mountPoints: ReadonlySet<string>,
): Promise<StoppedSandbox | undefined> {
  const { layout, record } = options;
  const sleep = interruptedSleep(context.layout, spec.id, record);
  await killSandbox(layout, record.process);
  removeRuntimeState(context.layout, spec.id);
  const root = await reopenRoot(context, spec, options, mountPoints);
  if (root === undefined) return undefined;
  const kept = await openKept(context, layout);
  const held = new HeldSandbox({ ...options, spec, root, kept });
  if (sleep?.image === undefined) await kept.processesGone();
  held.updateRecord({ process: undefined, sleep });
  removeMemoryExcept(layout, sleep?.image);
  context.held.set(spec.id, held);
  removeUnfinished(context, held);
  if (sleep !== undefined) return asHibernated(held);
  return {
    id: spec.id,
    reason: lostWithDaemon,
    commands: kept,
    get files() {
      return held.root.files;
    },
  };
}

/** Removes, aside, what copies left that the end of the last daemon cut off. */
function removeUnfinished(context: DriverContext, { id, root }: HeldSandbox): void {
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
