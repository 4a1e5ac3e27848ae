import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxSpec } from '@sandport/driver';
import { InitChannel } from '@sandport/guest-init';
import { createDiskImage, processStartTime, removeTree } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { CreateStep, DriverContext } from '../context.ts';
import { type OciVolume, ociSpec } from '../oci/spec.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { startWithRuntime } from '../runtimes/start.ts';
import { findUser } from '../templates/passwd.ts';
import { killSandbox, removeRuntimeState } from './end-processes.ts';
import { finishGvisorRoot, prepareGvisorRoot } from './gvisor-root.ts';
import { guestLog } from './guest-log.ts';
import { idRangeSize } from './id-ranges.ts';
import { LiveSandbox } from './live-sandbox.ts';
import { keepWatch } from './keep-watch.ts';
import { type SandboxRecord, writeRecord } from './record.ts';
import {
  makeDiskDirectories,
  makeGate,
  mountRoot,
  mountVolumes,
  layersOf,
  openRoot,
  unmountDisk,
  unmountRoot,
  volumeGuestPath,
} from './root-mount.ts';
import { Undo } from './undo.ts';

/** Longest wait for the init's first word. */
const connectTimeoutMs = 15_000;

export interface CreateOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a sandbox and resolves when its init takes commands. When a step fails, everything done
 * before it is undone, last first.
 */
export async function createSandbox(
  context: DriverContext,
  spec: SandboxSpec,
  { signal }: CreateOptions = {},
): Promise<LiveSandbox> {
  const runtime = runtimeFor(context, spec);
  const undo = new Undo((error) =>
    context.log('error', 'a step of a failed create could not be undone', {
      sandbox: spec.id,
      error: String(error),
    }),
  );
  try {
    return await create(context, spec, runtime, undo, signal);
  } catch (error) {
    await undo.run();
    throw createFault(error, signal);
  }
}

async function create(
  context: DriverContext,
  spec: SandboxSpec,
  runtime: Runtime,
  undo: Undo,
  signal: AbortSignal | undefined,
): Promise<LiveSandbox> {
  const { id, isolation } = spec;
  const layout = context.layout.sandbox(id);
  const step = (name: CreateStep) => {
    signal?.throwIfAborted();
    context.onStep?.(name);
  };

  step('template');
  const template = context.templates.acquire(spec.template, id, layout.directory);
  undo.add(() => context.templates.release(template.name, template.version, id));
  const owner = findUser(template.passwd, spec.user);
  if (owner === undefined) {
    const message = `The template "${spec.template}" has no user "${spec.user}".`;
    throw new SandportFault('invalid_request', message, { field: 'user' });
  }

  step('directories');
  mkdirSync(layout.directory, { mode: 0o700 });
  undo.add(() => removeTree(context.layout.sandboxes, id));
  mkdirSync(layout.bundle, { mode: 0o700 });
  undo.add(() => rmSync(layout.bundle, { recursive: true, force: true }));

  step('disk');
  if (spec.limits.diskBytes !== undefined) {
    undo.add(() => unmountDisk(layout));
    mkdirSync(layout.disk, { mode: 0o700 });
    await createDiskImage({
      file: layout.diskImage,
      mountPoint: layout.disk,
      sizeBytes: spec.limits.diskBytes,
    });
  }

  step('ids');
  const range = isolation === 'container' ? await context.ranges.take() : undefined;
  if (range) undo.add(() => context.ranges.release(range.base));
  const idBase = range?.base ?? 0;
  const token = randomBytes(32).toString('hex');
  const record: SandboxRecord = {
    isolation,
    template: template.name,
    templateVersion: template.version,
    idBase,
    token,
  };
  writeRecord(layout.record, record);

  step('root');
  undo.add(() => unmountRoot(layout));
  makeDiskDirectories(layout, idBase);
  makeGate(layout, idBase);
  mountRoot({ layout, templateRoot: template.rootPath, namespaceFd: range?.namespaceFd });
  const root = openRoot(layout, idBase);
  undo.add(() => root.close());

  if (isolation === 'gvisor') await prepareGvisorRoot(root, context.preloadLibrary);

  step('volumes');
  mountVolumes(spec, context.volumes, root, range?.namespaceFd);

  step('control');
  undo.add(() => rmSync(layout.control, { recursive: true, force: true }));
  mkdirSync(layout.control, { mode: 0o710 });
  chownSync(layout.control, 0, idBase);
  writeFileSync(layout.initMountPoint, '');
  writeFileSync(layout.token, token, { mode: 0o440 });
  chownSync(layout.token, 0, idBase);

  step('channel');
  const channel = await InitChannel.listen({
    socketPath: layout.socket,
    token,
    onLog: guestLog(context.log, id),
  });
  undo.add(() => channel[Symbol.asyncDispose]());

  step('bundle');
  const config = ociSpec({
    isolation,
    rootPath: layout.root,
    hostname: spec.hostname,
    limits: spec.limits,
    controlDir: layout.control,
    initBinary: context.initBinary,
    cgroupPath: layout.cgroup,
    idBase,
    idCount: idRangeSize,
    cgroup: context.cgroup,
    privileges: context.privileges,
    volumes: isolation === 'gvisor' ? ownVolumes(context, spec) : [],
  });
  writeFileSync(join(layout.bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 });

  step('start');
  undo.add(() => removeRuntimeState(context.layout, id));
  undo.add(() => killSandbox(layout, undefined));
  const pid = await context.starts.run(async () => {
    const started = startWithRuntime(runtime, {
      id,
      stateDir: join(context.layout.runDir, runtime.name),
      bundle: layout.bundle,
      pidFile: layout.pidFile,
      log: layout.log,
      signal,
    });
    const connected = channel.whenConnected(connectTimeoutMs, signal);
    connected.catch(() => {});
    const firstPid = await started;
    step('connect');
    await connected;
    return firstPid;
  }, signal);
  if (isolation === 'gvisor') await finishGvisorRoot(root);
  // The init has read it, and keeps it where no guest can look.
  rmSync(layout.token, { force: true });

  step('record');
  const startTime = processStartTime(pid);
  if (startTime === undefined) throw new Error('the sandbox ended right after its start');
  writeRecord(layout.record, { ...record, process: { pid, startTime } });

  const live = new LiveSandbox({
    id,
    channel,
    root,
    owner,
    layers: layersOf(layout, template, idBase),
    user: spec.user,
    workdir: spec.workdir,
    env: { ...template.record.env, ...spec.env },
    oomKills: () => context.cgroup.oomKills(layout.cgroup),
    checkAlive: () => context.liveness.check(id),
  });
  keepWatch(context, live, { pid, startTime });
  return live;
}

/** gVisor knows mounts only by its own list; without it, read-only volumes look writable inside. */
const ownVolumes = ({ volumes }: DriverContext, spec: SandboxSpec): OciVolume[] =>
  spec.volumes.map(({ name, read_only: readOnly = false }) => ({
    source: volumes.dataPath(spec.namespace, name),
    guestPath: volumeGuestPath(name),
    readOnly,
  }));

function runtimeFor({ runtimes }: DriverContext, { isolation }: SandboxSpec): Runtime {
  const runtime = runtimes.get(isolation);
  if (runtime) return runtime;
  throw new SandportFault(
    'isolation_unavailable',
    `This machine cannot run the isolation "${isolation}".`,
    { isolation, known: [...runtimes.keys()] },
  );
}

function createFault(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof SandportFault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (/ENOSPC|EDQUOT|no space left/i.test(reason))
    return new SandportFault('disk_full', 'The disk is full; the sandbox was not started.');
  return new SandportFault(
    'create_failed',
    `The sandbox could not be started: ${reason}.`,
    { reason },
    { cause: error },
  );
}
