import type { Driver, SandboxFiles } from '@sandport/driver';
import type { CreateSandbox, SandboxId, SandboxObject } from '@sandport/protocol';
import type { SandboxTable, SnapshotTable } from '@sandport/state';
import type { Events } from '../events.ts';
import type { Principal } from '../principal.ts';
import type { Templates } from '../templates.ts';
import type { Volumes } from '../volumes.ts';
import { Creation } from './creation.ts';
import { type Entry, newEntry, specOf } from './entry.ts';
import { matches, newestFirst, page, type SandboxFilter } from './page.ts';
import { Reaper } from './reaper.ts';
import { Registry } from './registry.ts';
import { States } from './states.ts';
import { toObject } from './to-object.ts';

export interface SandboxesOptions {
  readonly driver: Driver;
  readonly table: SandboxTable;
  readonly snapshots: SnapshotTable;
  readonly templates: Templates;
  /** Called at each use: volumes and sandboxes know each other. */
  readonly volumes: () => Volumes;
  readonly events: Events;
  /** Most sandboxes at one time. */
  readonly maxSandboxes: number;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
  /** Clears what a sandbox keeps outside of itself, on volumes, before it goes. */
  readonly leaving: (id: SandboxId, files: SandboxFiles) => Promise<void>;
}

/** The sandboxes of this daemon: made, found, listed, ended. */
export class Sandboxes implements Disposable {
  readonly registry: Registry;
  readonly states: States;
  readonly #options: SandboxesOptions;
  readonly #creation: Creation;
  readonly #reaper: Reaper;

  constructor(options: SandboxesOptions) {
    const { driver, events, log, templates, volumes } = options;
    this.#options = options;
    this.#reaper = new Reaper(
      () => this.#nextExpiry(),
      () => this.#removeExpired(),
    );
    const reschedule = () => this.#reaper.reschedule();
    const registry = new Registry(options.table, options.maxSandboxes);
    const states = new States({ driver, registry, events, log, reschedule });
    this.registry = registry;
    this.states = states;
    this.#creation = new Creation({ driver, registry, states, templates, volumes, events });
  }

  /** Takes over what an earlier daemon left. Rows that were half made or half removed are ended. */
  async recover(): Promise<{ running: number; failed: number; removed: number }> {
    const { driver, snapshots } = this.#options;
    const rows = this.registry.rows();
    const whole = rows.filter((row) => row.status !== 'creating' && row.status !== 'deleted');
    const frozen = snapshots.all();
    for (const { id, status } of frozen) if (status !== 'ready') snapshots.delete(id);
    const report = await driver.adopt({
      sandboxes: whole.map(specOf),
      snapshots: frozen.filter(({ status }) => status === 'ready').map(({ id }) => id),
    });
    const entries = new Map(whole.map((row) => [row.id, newEntry(row)]));
    const each = (id: SandboxId, take: (entry: Entry) => void) => {
      const entry = entries.get(id);
      if (entry !== undefined) take(entry);
    };
    for (const sandbox of report.running)
      each(sandbox.id, (entry) => this.states.started(entry, sandbox));
    for (const sandbox of report.stopped)
      each(sandbox.id, (entry) => this.states.stopped(entry, sandbox.reason, sandbox));
    const lost = 'it could not be taken over; delete it, or see the log';
    for (const id of report.lost) each(id, (entry) => this.states.stopped(entry, lost));
    const gone = rows.filter((row) => this.registry.byId(row.id) === undefined);
    for (const row of gone) this.registry.forget(row.id);
    this.#reaper.reschedule();
    return {
      running: report.running.length,
      failed: this.registry.all().filter(({ row }) => row.status === 'failed').length,
      removed: gone.length,
    };
  }

  async create(
    principal: Principal,
    request: CreateSandbox,
    options: { signal?: AbortSignal } = {},
  ): Promise<SandboxObject> {
    return toObject((await this.#creation.create(principal, request, options)).row);
  }

  get(principal: Principal, idOrName: string): SandboxObject {
    return toObject(this.find(principal, idOrName).row);
  }

  list(
    principal: Principal,
    filter: SandboxFilter,
  ): { sandboxes: SandboxObject[]; nextCursor?: string } {
    const visible = this.registry
      .visible(principal)
      .map((entry) => entry.row)
      .filter((row) => matches(row, filter))
      .sort(newestFirst);
    const { rows, nextCursor } = page(visible, filter);
    return { sandboxes: rows.map(toObject), ...(nextCursor === undefined ? {} : { nextCursor }) };
  }

  /** Ends the sandbox and removes all of it but its volumes. */
  async remove(principal: Principal, idOrName: string): Promise<void> {
    await this.end(this.find(principal, idOrName));
  }

  /** @throws SandportFault `sandbox_not_found`, also for a sandbox of another's namespace. */
  find(principal: Principal, idOrName: string): Entry {
    return this.registry.find(principal, idOrName);
  }

  /** Ends what is being done to the sandbox, then the sandbox. After a failure one can ask again. */
  async end(entry: Entry): Promise<void> {
    if (entry.row.status !== 'creating' && entry.row.status !== 'deleted')
      this.registry.change(entry, { status: 'deleted' });
    entry.abort.abort();
    await entry.turns.take(async () => {
      // The create that was under way, or another removal, has taken it away.
      if (this.registry.byId(entry.row.id) !== entry) return;
      await this.#takeAway(entry);
    });
  }

  /** Stops the clock. Sandboxes keep running. */
  [Symbol.dispose](): void {
    this.#reaper[Symbol.dispose]();
  }

  async #takeAway({ row, sandbox }: Entry): Promise<void> {
    const { driver, leaving, log, events } = this.#options;
    const { id } = row;
    if (sandbox !== undefined)
      await leaving(id, sandbox.files).catch((error: unknown) => {
        log('sandbox leaves something behind', { sandbox: id, error: String(error) });
      });
    await driver.remove(id);
    this.registry.forget(id);
    events.emit(row, 'deleted');
  }

  #nextExpiry(): Date | undefined {
    let next: Date | undefined;
    for (const { row } of this.registry.all())
      if (row.expiresAt !== undefined && row.status !== 'deleted')
        if (next === undefined || row.expiresAt < next) next = row.expiresAt;
    return next;
  }

  #removeExpired(): void {
    const at = new Date();
    for (const entry of this.registry.all()) {
      const { id, expiresAt, status } = entry.row;
      if (expiresAt === undefined || expiresAt > at || status === 'deleted') continue;
      this.#options.log('sandbox expired', { sandbox: id });
      this.#options.events.emit(entry.row, 'expired');
      this.end(entry).catch((error: unknown) => {
        this.#options.log('expired sandbox not removed', { sandbox: id, error: String(error) });
      });
    }
  }
}
