import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverContext } from '../context.ts';
import { deleteDeadTree } from './delete-tree.ts';
import { killSandbox, removeRuntimeState } from './end-processes.ts';
import { readRecord } from './record.ts';
import { unmountRoot } from './root-mount.ts';

/** A disk with many files is deleted after the answer. */
const longestDeletionMs = 1000;

/**
 * Ends a sandbox and removes everything of it, by what lies on the disk: also one that an earlier
 * daemon made, or made half. Idempotent.
 */
export async function removeSandbox(context: DriverContext, id: string): Promise<void> {
  const layout = context.layout.sandbox(id);
  const record = readRecord(layout.record);
  await killSandbox(layout, record?.process);
  removeRuntimeState(context.layout, id);
  await unmountRoot(layout);
  await context.disks.close(layout);
  rmSync(layout.control, { recursive: true, force: true });
  rmSync(layout.bundle, { recursive: true, force: true });
  if (existsSync(layout.directory)) {
    mkdirSync(context.layout.trash, { recursive: true, mode: 0o700 });
    const name = `${id}.${randomBytes(4).toString('hex')}`;
    renameSync(layout.directory, join(context.layout.trash, name));
    const deletion = deleteTrash(context, name);
    await Promise.race([deletion, sleep(longestDeletionMs, undefined, { ref: false })]);
  }
  if (record) {
    context.templates.release(record.template, record.templateVersion, id);
    if (record.network !== undefined) await context.network.forget(id, record.network.index);
    if (record.isolation === 'container') context.ranges.release(record.idBase);
  }
}

/** Deletes one entry of the trash; errors are told to the log, and the next start tries again. */
export function deleteTrash(context: DriverContext, name: string): Promise<void> {
  const { trash } = context.layout;
  const deletion = context.disks
    .discard({ directory: join(trash, name) })
    .then(() => deleteDeadTree(trash, name))
    .catch((error: unknown) =>
      context.log('error', 'cannot delete the disk of a removed sandbox', {
        name,
        error: String(error),
      }),
    )
    .finally(() => context.background.delete(deletion));
  context.background.add(deletion);
  return deletion;
}
