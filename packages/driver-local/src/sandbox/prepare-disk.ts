import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { SandboxSpec } from '@sandport/driver';
import { removeTree } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import type { CreateStep, DriverContext } from '../context.ts';
import { findUser } from '../templates/passwd.ts';
import { HeldSandbox } from './held-sandbox.ts';
import { type SandboxRecord, writeRecord } from './record.ts';
import { makeDiskDirectories, unmountRoot } from './root-mount.ts';
import { SandboxRoot } from './sandbox-root.ts';
import type { Undo } from './undo.ts';

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
): Promise<HeldSandbox> {
  const { id, isolation } = spec;
  const layout = context.layout.sandbox(id);

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

  step('disk');
  undo.add(() => context.disks.discard(layout));
  await context.disks.create(layout, { sizeBytes: spec.limits.diskBytes });

  step('ids');
  const range = isolation === 'container' ? await context.ranges.take() : undefined;
  if (range) undo.add(() => context.ranges.release(range.base));
  const record: SandboxRecord = {
    isolation,
    template: template.name,
    templateVersion: template.version,
    idBase: range?.base ?? 0,
    guestIds: true,
    token: randomBytes(32).toString('hex'),
  };
  writeRecord(layout.record, record);

  step('root');
  makeDiskDirectories(layout);
  undo.add(() => unmountRoot(layout));
  const root = await SandboxRoot.mount(context, spec, { layout, record, template, owner }, () =>
    step('volumes'),
  );
  undo.add(() => root.close());
  return new HeldSandbox({ spec, layout, template, root, record });
}
