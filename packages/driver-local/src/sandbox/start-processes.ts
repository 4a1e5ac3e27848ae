import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxSpec } from '@sandport/driver';
import { InitChannel } from '@sandport/guest-init';
import { keepJoinsQuick, processStartTime } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { CreateStep, DriverContext } from '../context.ts';
import { ociSpec } from '../oci/spec.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { startWithRuntime } from '../runtimes/start.ts';
import { killSandbox, removeRuntimeState } from './end-processes.ts';
import { finishGvisorRoot, prepareGvisorRoot } from './gvisor-root.ts';
import { guestLog } from './guest-log.ts';
import type { HeldSandbox } from './held-sandbox.ts';
import { idRangeSize } from './id-ranges.ts';
import { initBinaryFor } from './image-init.ts';
import { keepWatch } from './keep-watch.ts';
import { LiveSandbox } from './live-sandbox.ts';
import type { ProcessIdentity } from './liveness.ts';
import { Undo } from './undo.ts';
import { ociVolumes } from './volume-mounts.ts';

/** Longest wait for the init's first word. */
const connectTimeoutMs = 15_000;

export interface StartProcessesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called before each step; may throw. */
  readonly onStep?: ((name: CreateStep) => void) | undefined;
  /** Memory image that the processes come from; a new init starts without one. */
  readonly imageDir?: string | undefined;
}

/**
 * Gives a sandbox without processes its processes, on the disk that is mounted, and resolves when
 * its init takes commands. When a step fails, everything done before it is undone: the disk stays.
 * @throws whatever failed, as it was thrown
 */
export async function startProcesses(
  context: DriverContext,
  held: HeldSandbox,
  options: StartProcessesOptions = {},
): Promise<LiveSandbox> {
  const undo = new Undo((error) =>
    context.log('error', 'a step of a failed start could not be undone', {
      sandbox: held.id,
      error: String(error),
    }),
  );
  using _ = keepJoinsQuick();
  try {
    return await start(context, held, undo, options);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function start(
  context: DriverContext,
  held: HeldSandbox,
  undo: Undo,
  { signal, onStep, imageDir }: StartProcessesOptions,
): Promise<LiveSandbox> {
  const { id, layout, record } = held;
  const runtime = runtimeFor(context, record);
  const step = (name: CreateStep) => {
    signal?.throwIfAborted();
    onStep?.(name);
  };

  step('control');
  undo.add(() => removeRunFiles(held));
  removeRunFiles(held);
  writeControlDirectory(held);

  step('channel');
  const channel = await InitChannel.listen({
    socketPath: layout.socket,
    token: record.token,
    kept: held.kept.processes,
    onLog: guestLog(context.log, id),
  });
  undo.add(() => channel[Symbol.asyncDispose]());

  step('network');
  undo.add(() => withdrawFailed(context, held));
  const network = await context.network.prepare(held);
  using namespace = network?.namespace;
  const networkPath = namespace?.path;

  step('bundle');
  writeBundle(context, held, initBinaryFor(context, imageDir), networkPath);
  if (record.isolation === 'gvisor' && imageDir === undefined)
    await prepareGvisorRoot(held.root.fs, context.preloadLibrary);

  step('start');
  // Programs that go on where they were could have connections.
  if (imageDir !== undefined) await network?.ready;
  undo.add(() => removeRuntimeState(context.layout, id));
  undo.add(() => killSandbox(layout, undefined));
  const process = await context.starts.run(async () => {
    const connected = channel.whenConnected(connectTimeoutMs, signal);
    connected.catch(() => {});
    const started = await runRuntime(context, held, runtime, { signal, imageDir, networkPath });
    step('connect');
    await connected;
    if (held.kept.awaitsInit) await channel.whenListed(connectTimeoutMs);
    return started;
  }, signal);
  await finishStart(held);
  // What came from an image may have begun with another limit.
  if (imageDir !== undefined && channel.connected)
    channel.setMemoryLimit(held.spec.limits.memoryBytes);

  step('record');
  held.updateRecord({ process, sleep: undefined });
  // No command runs yet.
  await network?.ready;
  if (network && !namespace) await context.network.joinProcesses(held);
  const live = new LiveSandbox({
    held,
    channel,
    oomKills: () => context.cgroup.oomKills(layout.cgroup),
    checkAlive: () => context.liveness.check(id),
  });
  keepWatch(context, held, live, process);
  return live;
}

/** One that sleeps on keeps its place; a new one gives it back. */
async function withdrawFailed(
  { network, held: all }: DriverContext,
  held: HeldSandbox,
): Promise<void> {
  if (all.has(held.id)) await network.detach(held);
  else if (existsSync(held.layout.directory)) await network.withdraw(held);
}

/** Takes away what only the start needed. Idempotent. */
export async function finishStart({ root, layout, record }: HeldSandbox): Promise<void> {
  if (record.isolation === 'gvisor') await finishGvisorRoot(root.fs);
  // The init has read it, and keeps it where no guest can look.
  rmSync(layout.token, { force: true });
}

/** Runs the runtime to its end. @throws Error with its last words */
export async function runRuntime(
  { layout }: DriverContext,
  held: HeldSandbox,
  runtime: Runtime,
  options: Pick<StartProcessesOptions, 'signal' | 'imageDir'> & {
    networkPath?: string | undefined;
  },
): Promise<ProcessIdentity> {
  const { bundle, pidFile, log } = held.layout;
  for (const file of [pidFile, log]) rmSync(file, { force: true });
  const pid = await startWithRuntime(runtime, {
    id: held.id,
    stateDir: join(layout.runDir, runtime.name),
    bundle,
    pidFile,
    log,
    ...options,
  });
  const startTime = processStartTime(pid);
  if (startTime === undefined) throw new Error('the sandbox ended right after its start');
  return { pid, startTime };
}

/** Takes away what only processes need. Idempotent. */
export function removeRunFiles({ layout }: Pick<HeldSandbox, 'layout'>): void {
  for (const path of [layout.control, layout.bundle])
    rmSync(path, { recursive: true, force: true });
}

/** The directory that the guest sees at /run/sandport: only its own root can look into it. */
function writeControlDirectory({ layout, record: { idBase, token } }: HeldSandbox): void {
  mkdirSync(layout.control, { mode: 0o710 });
  chownSync(layout.control, 0, idBase);
  writeFileSync(layout.initMountPoint, '');
  writeFileSync(layout.token, token, { mode: 0o440 });
  chownSync(layout.token, 0, idBase);
}

function writeBundle(
  context: DriverContext,
  { spec, layout, record }: HeldSandbox,
  initBinary: string,
  networkPath: string | undefined,
): void {
  const config = ociSpec({
    isolation: record.isolation,
    rootPath: layout.root,
    hostname: spec.hostname,
    limits: spec.limits,
    controlDir: layout.control,
    initBinary,
    cgroupPath: layout.cgroup,
    idBase: record.idBase,
    idCount: idRangeSize,
    cgroup: context.cgroup,
    privileges: context.privileges,
    networkPath,
    volumes: record.isolation === 'gvisor' ? ociVolumes(context.volumes, spec) : [],
  });
  mkdirSync(layout.bundle, { mode: 0o700 });
  writeFileSync(join(layout.bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 });
}

/** @throws SandportFault `isolation_unavailable` */
export function runtimeFor(
  { runtimes }: DriverContext,
  { isolation }: Pick<SandboxSpec, 'isolation'>,
): Runtime {
  const runtime = runtimes.get(isolation);
  if (runtime) return runtime;
  throw new SandportFault(
    'isolation_unavailable',
    `This machine cannot run the isolation "${isolation}".`,
    { isolation, known: [...runtimes.keys()] },
  );
}
