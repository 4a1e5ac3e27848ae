import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { SandboxSpec } from '@sandport/driver';
import { removeTree } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import { openKept } from '../commands/kept/open-kept.ts';
import type { CreateStep, DriverContext } from '../context.ts';
import type { SandboxLayout } from '../layout.ts';
import type { DiskPlace, DiskSize } from '../storage/storage.ts';
import { findUser, type UserIds } from '../templates/passwd.ts';
import type { TemplateVersion } from '../templates/version.ts';
import { HeldSandbox } from './held-sandbox.ts';
import { type SandboxRecord, writeRecord } from './record.ts';
import { makeDiskDirectories, unmountRoot } from './root-mount.ts';
import { SandboxRoot } from './sandbox-root.ts';
import type { Undo } from './undo.ts';

/** What a new sandbox begins with instead of an empty disk. */
export interface DiskOrigin {
  readonly template: string;
  readonly templateVersion: string;
  /** Makes and opens the new disk. */
  readonly clone: (to: DiskPlace, size: DiskSize) => Promise<void>;
  /** Of the init whose memory it gets; a new one without. */
  readonly token?: string | undefined;
}

/** The disk of a sandbox that is being made. */
export interface MadeDisk {
  readonly spec: SandboxSpec;
  readonly layout: SandboxLayout;
  readonly template: TemplateVersion;
  readonly owner: UserIds;
  readonly token: string | undefined;
}

/**
 * Makes the disk of a new sandbox and mounts it, with its volumes; the sandbox has no processes
 * yet. `undo` gets what takes everything back.
 * @param step called before each step; may throw
 */
export async function prepareDisk(
  context: DriverContext,
  spec: SandboxSpec,
  undo: Undo,
  step: (name: CreateStep) => void,
  origin?: DiskOrigin,
): Promise<HeldSandbox> {
  const made = await makeDisk(context, spec, undo, step, origin);
  return mountDisk(context, made, undo, step);
}

/** The first half: the disk, which is not mounted as a root yet. */
export async function makeDisk(
  context: DriverContext,
  spec: SandboxSpec,
  undo: Undo,
  step: (name: CreateStep) => void,
  origin?: DiskOrigin,
): Promise<MadeDisk> {
  const { id } = spec;
  const layout = context.layout.sandbox(id);

  step('template');
  const template = origin
    ? acquireOrigin(context, origin, id, layout.directory)
    : context.templates.acquire(spec.template, id, layout.directory);
  undo.add(() => context.templates.release(template.name, template.version, id));
  const owner = findUser(template.passwd, spec.user);
  if (owner === undefined) {
    const message = `The template "${spec.template}" has no user "${spec.user}".`;
    throw new SandportFault('invalid_request', message, { field: 'user' });
  }

  step('directories');
  mkdirSync(layout.directory, { mode: 0o700 });
  undo.add(() => removeTree(context.layout.sandboxes, id));

  step('disk');
  undo.add(() => context.disks.discard(layout));
  const size = { sizeBytes: spec.limits.diskBytes };
  await (origin ? origin.clone(layout, size) : context.disks.create(layout, size));
  return { spec, layout, template, owner, token: origin?.token };
}

/** The second half. */
export async function mountDisk(
  context: DriverContext,
  { spec, layout, template, owner, token }: MadeDisk,
  undo: Undo,
  step: (name: CreateStep) => void,
): Promise<HeldSandbox> {
  const { isolation } = spec;

  step('ids');
  const range = isolation === 'container' ? await context.ranges.take() : undefined;
  if (range) undo.add(() => context.ranges.release(range.base));
  const record: SandboxRecord = {
    isolation,
    template: template.name,
    templateVersion: template.version,
    idBase: range?.base ?? 0,
    guestIds: true,
    token: token ?? randomBytes(32).toString('hex'),
  };
  writeRecord(layout.record, record);

  step('root');
  makeDiskDirectories(layout);
  undo.add(() => unmountRoot(layout));
  const root = await SandboxRoot.mount(context, spec, { layout, record, template, owner }, () =>
    step('volumes'),
  );
  undo.add(() => root.close());
  const kept = await openKept(context, layout);
  undo.add(() => kept.close());
  return new HeldSandbox({ spec, layout, template, root, record, kept });
}

/** Marks the template version of an origin as used. @throws Error when it is gone */
export function acquireOrigin(
  { templates }: DriverContext,
  { template, templateVersion }: DiskOrigin,
  userId: string,
  userDirectory: string,
): TemplateVersion {
  const found = templates.acquireVersion(template, templateVersion, userId, userDirectory);
  if (found !== undefined) return found;
  throw new Error(`version ${templateVersion} of the template ${template} is gone`);
}
