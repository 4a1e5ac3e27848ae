import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { SandboxSpec, WokenSandbox } from '@sandport/driver';
import { exchangeEntries } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import { openKept } from '../commands/kept/open-kept.ts';
import type { DriverContext } from '../context.ts';
import { createFault } from '../sandbox/create.ts';
import { killSandbox, removeRuntimeState } from '../sandbox/end-processes.ts';
import { HeldSandbox } from '../sandbox/held-sandbox.ts';
import type { LiveSandbox } from '../sandbox/live-sandbox.ts';
import { acquireOrigin } from '../sandbox/prepare-disk.ts';
import { type SandboxRecord, writeRecord } from '../sandbox/record.ts';
import { deleteTrash } from '../sandbox/remove.ts';
import { makeDiskDirectories, unmountRoot } from '../sandbox/root-mount.ts';
import { SandboxRoot } from '../sandbox/sandbox-root.ts';
import { removeRunFiles, startProcesses } from '../sandbox/start-processes.ts';
import { findUser } from '../templates/passwd.ts';
import { moveToTrash } from '../storage/places.ts';
import { usableImage } from './create-from.ts';
import type { SnapshotOrigin } from './snapshot-store.ts';

/** Its processes were ended for a restore. */
const endedReason = 'it is restored from a snapshot';

/**
 * Puts a snapshot in the place of what a sandbox has: a new directory with the disk and its record
 * is made beside, and takes the place of the old one in one step, in which it can be put back.
 * @throws SandportFault `create_failed`, `disk_full`: the sandbox is stopped, with its old disk, or
 * runs as before when the new disk could not be made
 */
export async function restoreSandbox(
  context: DriverContext,
  old: HeldSandbox,
  spec: SandboxSpec,
  origin: SnapshotOrigin,
): Promise<WokenSandbox> {
  const image = usableImage(spec, origin);
  const beside = await prepareBeside(context, old, spec, origin, image !== undefined);
  await endOld(context, old);
  await changeRoots(context, old, beside.directory);
  let next: HeldSandbox | undefined;
  try {
    next = await openNext(context, old, spec, beside);
    const sandbox = await start(context, next, image);
    await forgetOld(context, old, beside);
    return sandbox;
  } catch (error) {
    await next?.kept.close();
    next?.root.close();
    await changeRoots(context, old, beside.directory);
    await reopen(context, old);
    await throwAway(context, old, beside);
    throw createFault(error, undefined);
  }
}

interface Beside {
  readonly directory: string;
  readonly record: SandboxRecord;
}

/** Makes the directory that will be the sandbox's own. */
async function prepareBeside(
  context: DriverContext,
  { id, layout, record }: HeldSandbox,
  spec: SandboxSpec,
  origin: SnapshotOrigin,
  withMemory: boolean,
): Promise<Beside> {
  const directory = join(context.layout.staging, `${id}-${randomBytes(6).toString('hex')}`);
  const template = acquireOrigin(context, origin, id, layout.directory);
  const next: SandboxRecord = {
    isolation: record.isolation,
    template: template.name,
    templateVersion: template.version,
    idBase: record.idBase,
    guestIds: true,
    token: (withMemory ? origin.token : undefined) ?? randomBytes(32).toString('hex'),
  };
  const beside = { directory, record: next };
  try {
    if (findUser(template.passwd, spec.user) === undefined)
      throw new SandportFault(
        'invalid_request',
        `The template of the snapshot has no user "${spec.user}".`,
        { field: 'user' },
      );
    mkdirSync(directory, { mode: 0o700 });
    await origin.clone({ directory }, { sizeBytes: spec.limits.diskBytes });
    writeRecord(join(directory, basename(layout.record)), next);
    return beside;
  } catch (error) {
    await throwAway(context, { id, record }, beside);
    throw createFault(error, undefined);
  }
}

async function endOld(context: DriverContext, old: HeldSandbox): Promise<void> {
  const { id, layout, live, root } = old;
  context.liveness.unwatch(id);
  old.live = undefined;
  await live?.end({ status: 'hibernated', reason: endedReason });
  await killSandbox(layout, old.record.process);
  removeRuntimeState(context.layout, id);
  removeRunFiles(old);
  old.updateRecord({ process: undefined });
  await old.kept.processesGone();
  await old.kept.close();
  root.close();
}

/** Lets the sandbox's directory and the other one change places, with no root mounted. */
async function changeRoots(
  { layout: { sandboxes, staging } }: DriverContext,
  { id, layout }: HeldSandbox,
  other: string,
): Promise<void> {
  await unmountRoot(layout);
  exchangeEntries(
    { directory: sandboxes, name: id },
    { directory: staging, name: basename(other) },
  );
}

async function openNext(
  context: DriverContext,
  { id, layout }: HeldSandbox,
  spec: SandboxSpec,
  { record }: Beside,
): Promise<HeldSandbox> {
  const template = context.templates.find(record.template, record.templateVersion);
  const owner = template && findUser(template.passwd, spec.user);
  if (template === undefined || owner === undefined)
    throw new Error(`the template ${record.template} is gone`);
  makeDiskDirectories(layout);
  const root = await SandboxRoot.mount(context, spec, { layout, record, template, owner });
  const kept = await openKept(context, layout);
  const held = new HeldSandbox({ spec, layout, template, root, record, kept });
  context.held.set(id, held);
  return held;
}

async function start(
  context: DriverContext,
  held: HeldSandbox,
  imageDir: string | undefined,
): Promise<WokenSandbox> {
  if (imageDir === undefined)
    return { sandbox: await startProcesses(context, held), memory: false };
  let fallback: string;
  try {
    return { sandbox: await startProcesses(context, held, { imageDir }), memory: true };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    fallback = `its memory could not be restored: ${cause.split('\n', 1)[0]}`;
  }
  const sandbox: LiveSandbox = await startProcesses(context, held);
  return { sandbox, memory: false, fallback };
}

/** Opens the old disk again, without processes. */
async function reopen(context: DriverContext, old: HeldSandbox): Promise<void> {
  const { layout, record, spec, template } = old;
  context.held.set(old.id, old);
  const owner = findUser(template.passwd, spec.user);
  if (owner === undefined) throw new Error(`the template ${record.template} is gone`);
  old.root = await SandboxRoot.mount(context, spec, { layout, record, template, owner });
  old.kept = await openKept(context, layout);
}

/** The old disk, whose directory is the other one by now. */
async function forgetOld(context: DriverContext, old: HeldSandbox, beside: Beside): Promise<void> {
  const { template, templateVersion } = old.record;
  await deleteTrash(context, moveToTrash(beside.directory, context.layout.trash));
  if (template === beside.record.template && templateVersion === beside.record.templateVersion)
    return;
  context.templates.release(template, templateVersion, old.id);
}

/** The new disk, which came to nothing. */
async function throwAway(
  context: DriverContext,
  old: Pick<HeldSandbox, 'id' | 'record'>,
  { directory, record }: Beside,
): Promise<void> {
  if (existsSync(directory))
    await deleteTrash(context, moveToTrash(directory, context.layout.trash));
  const { template, templateVersion } = old.record;
  if (template === record.template && templateVersion === record.templateVersion) return;
  context.templates.release(record.template, record.templateVersion, old.id);
}
