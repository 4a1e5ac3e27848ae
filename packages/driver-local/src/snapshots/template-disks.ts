import { randomUUID } from 'node:crypto';
import { SandportFault, snapshotIdSchema } from '@sandport/protocol';
import type { DriverContext } from '../context.ts';
import type { SandboxDisks } from '../templates/sources/sandbox.ts';
import type { LocalSnapshots } from './snapshot-store.ts';

/**
 * Disks of sandboxes for templates that are made of them: by a snapshot that nobody else knows and
 * that goes with the end of the build, or with the next start.
 */
export const templateDisks = (
  { held, templates }: DriverContext,
  snapshots: LocalSnapshots,
): SandboxDisks => ({
  lend: async (sandbox, read, signal) => {
    const found = held.get(sandbox);
    if (found === undefined)
      throw new SandportFault('sandbox_not_found', 'The driver does not have this sandbox.', {
        sandbox,
      });
    const { spec } = found;
    const id = snapshotIdSchema.parse(randomUUID());
    try {
      await snapshots.create(id, sandbox, { memory: false, ...(signal ? { signal } : {}) });
      const origin = snapshots.origin(id);
      const template = templates.find(origin.template, origin.templateVersion);
      if (template === undefined) throw new Error('the template of the sandbox is gone');
      return await snapshots.lend(id, (layer) => read({ layer, template, spec }));
    } catch (error) {
      if (error instanceof SandportFault && error.code === 'snapshot_failed')
        throw new Error(String(error.details['reason']), { cause: error });
      throw error;
    } finally {
      await snapshots.remove(id);
    }
  },
});
