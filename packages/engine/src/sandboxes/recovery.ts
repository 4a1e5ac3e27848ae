import type { Driver, DriverSandbox, StoppedSandbox } from '@sandport/driver';
import type { SandboxTable, SnapshotTable } from '@sandport/state';
import type { Events } from '../events.ts';
import { type Entry, newEntry, specOf } from './entry.ts';
import type { Registry } from './registry.ts';
import type { States } from './states.ts';

export interface RecoveryOptions {
  readonly driver: Driver;
  readonly table: SandboxTable;
  readonly snapshots: SnapshotTable;
  readonly registry: Registry;
  readonly states: States;
  readonly events: Events;
}

/** How many sandboxes there are after a start, and how many are not any more. */
export interface RecoveryReport {
  readonly running: number;
  readonly hibernated: number;
  readonly failed: number;
  readonly removed: number;
}

/**
 * Takes over what an earlier daemon left, as the driver finds it. Rows that were half made or half
 * removed are ended.
 */
export async function recover(options: RecoveryOptions): Promise<RecoveryReport> {
  const { driver, table, snapshots, registry, events } = options;
  const rows = table.all();
  const whole = rows.filter((row) => row.status !== 'creating' && row.status !== 'deleted');
  const frozen = snapshots.all();
  for (const { id, status } of frozen) if (status !== 'ready') snapshots.delete(id);
  const report = await driver.adopt({
    sandboxes: whole.map(specOf),
    snapshots: frozen.filter(({ status }) => status === 'ready').map(({ id }) => id),
  });
  const entries = new Map<string, Entry>(whole.map((row) => [row.id, newEntry(row)]));
  const each = <Found extends { readonly id: string }>(
    found: readonly Found[],
    take: (entry: Entry, sandbox: Found) => void,
  ) => {
    for (const sandbox of found) {
      const entry = entries.get(sandbox.id);
      if (entry === undefined) continue;
      registry.hold(entry);
      take(entry, sandbox);
    }
  };
  each(report.running, (entry, sandbox) => takeRunning(options, entry, sandbox));
  each(report.stopped, (entry, sandbox) => takeStopped(options, entry, sandbox.reason, sandbox));
  const lost = report.lost.map((id) => ({ id }));
  each(lost, (entry) =>
    takeStopped(options, entry, 'it could not be taken over; delete it, or see the log'),
  );
  const gone = rows.filter((row) => registry.byId(row.id) === undefined);
  for (const row of gone) {
    if (row.status !== 'creating' && !row.pooled) events.emit(row, 'deleted');
    table.delete(row.id);
  }
  const count = (status: string) =>
    registry.all().filter(({ row }) => row.status === status).length;
  return {
    running: report.running.length,
    hibernated: count('hibernated'),
    failed: count('failed'),
    removed: gone.length,
  };
}

/**
 * Those that were made ahead are only held: whoever keeps them looks whether they are any good. The
 * daemon may have ended while it woke, paused or resumed the sandbox.
 */
function takeRunning({ states, events }: RecoveryOptions, entry: Entry, sandbox: DriverSandbox) {
  const { status, statusReason, memory = false, pooled } = entry.row;
  if (pooled) {
    entry.sandbox = sandbox;
    return;
  }
  const hadProcesses = status === 'running' || status === 'paused';
  if (hadProcesses) {
    states.started(entry, sandbox, { statusReason });
  } else {
    states.started(entry, sandbox, { bootMode: memory ? 'memory' : 'disk' });
    events.emit(entry.row, 'woken', { cause: 'recovery', memory });
  }
  const after = entry.row.status;
  if (hadProcesses && after !== status)
    events.emit(entry.row, after === 'paused' ? 'paused' : 'resumed', { cause: 'recovery' });
}

/** It may have died, or been hibernated, when no daemon looked. */
function takeStopped(
  { states, events }: RecoveryOptions,
  entry: Entry,
  reason: string,
  sandbox?: StoppedSandbox,
) {
  const { status: before, pooled } = entry.row;
  if (pooled) {
    entry.sandbox = sandbox;
    return;
  }
  states.stopped(entry, reason, sandbox);
  const { status, memory } = entry.row;
  if (status === before) return;
  if (status === 'hibernated') events.emit(entry.row, 'hibernated', { memory, cause: 'recovery' });
  else events.emit(entry.row, 'failed', { reason: entry.row.statusReason });
}
