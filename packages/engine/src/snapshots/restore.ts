import type {
  Driver,
  DriverSandbox,
  SandboxSpec,
  StoppedSandbox,
  WokenSandbox,
} from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import type { Events } from '../events.ts';
import type { Quotas } from '../quotas/quotas.ts';
import { type Entry, hasProcesses, specOf } from '../sandboxes/entry.ts';
import type { Registry } from '../sandboxes/registry.ts';
import type { States } from '../sandboxes/states.ts';
import { invalidState } from '../sandboxes/to-object.ts';
import { discardCopies } from '../uploads/discard-copies.ts';
import type { Uploads } from '../uploads/uploads.ts';
import type { UsedSnapshot } from './used-snapshot.ts';

export interface RestoreOptions {
  readonly driver: Driver;
  readonly registry: Registry;
  readonly states: States;
  readonly events: Events;
  readonly quotas: Pick<Quotas, 'hold'>;
  readonly uploads: Pick<Uploads, 'discardAll'>;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** Does what {@link Snapshots.restore} says. */
export async function restore(
  { driver, registry, states, events, quotas, uploads, log }: RestoreOptions,
  entry: Entry,
  snapshot: UsedSnapshot,
): Promise<WokenSandbox> {
  const { row, sandbox } = entry;
  if (sandbox === undefined || row.status === 'deleted')
    throw invalidState(row, 'nothing can be restored in it');
  refuseStrange(row.name ?? row.id, snapshot, entry);
  using room = quotas.hold(entry, specOf(row).limits, { processes: true });
  void room;
  await uploads.discardAll(row.id, sandbox.files);
  const spec: SandboxSpec = { ...specOf(row), template: snapshot.sandbox.template };
  let woken: WokenSandbox;
  try {
    woken = await driver.restore(spec, snapshot.id);
  } catch (error) {
    // One that had none before is what it was.
    if (hasProcesses(sandbox) && !(await isAlive(driver, entry))) {
      const sentence = error instanceof SandportFault ? error.message : 'see the log of the daemon';
      const reason = `a snapshot could not be restored: ${sentence}`;
      states.stopped(entry, reason, asStopped(sandbox, reason));
      events.emit(row, 'failed', { reason });
    }
    throw error;
  }
  const { memory, fallback } = woken;
  registry.change(entry, { spec, template: spec.template });
  await discardCopies(woken.sandbox, snapshot.staged, log);
  entry.activity.touch();
  const bootMode = memory ? 'memory' : 'disk';
  states.started(entry, woken.sandbox, { bootMode, statusReason: fallback });
  const reason = fallback === undefined ? {} : { reason: fallback };
  events.emit(row, 'restored', { snapshot_id: snapshot.id, memory, ...reason });
  return woken;
}

const isAlive = async (driver: Driver, { row }: Entry): Promise<boolean> => {
  const usage = await driver.usage(row.id).catch(() => undefined);
  return usage?.pid !== undefined;
};

/** Its old disk, which may have been mounted anew. */
const asStopped = (sandbox: DriverSandbox, reason: string): StoppedSandbox => ({
  id: sandbox.id,
  reason,
  get files() {
    return sandbox.files;
  },
  get commands() {
    return sandbox.commands;
  },
});

/** Processes of another isolation, or with other volumes, cannot run in this sandbox. */
function refuseStrange(name: string, snapshot: UsedSnapshot, { row }: Entry): void {
  const why = snapshot.memory ? snapshot.whyNoMemory(row) : undefined;
  if (why === undefined) return;
  throw new SandportFault(
    'invalid_request',
    `The processes of this snapshot cannot be in the sandbox ${name}: ${why}; make a new sandbox from it.`,
    { field: 'snapshot' },
  );
}
