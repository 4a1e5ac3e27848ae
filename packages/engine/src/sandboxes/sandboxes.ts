import type { Driver, DriverSandbox, SandboxFiles, StoppedSandbox } from '@sandport/driver';
import {
  type CreateSandbox,
  type Namespace,
  parseGuestPath,
  type SandboxId,
  SandportFault,
  type SandboxObject,
  type VolumeName,
} from '@sandport/protocol';
import { NameTakenError, type SandboxRow, type SandboxTable } from '@sandport/state';
import { mayUse, type Principal } from '../principal.ts';
import type { Templates } from '../templates.ts';
import type { Volumes } from '../volumes.ts';
import { type Entry, specOf } from './entry.ts';
import { namespaceOf, newRow } from './new-row.ts';
import { matches, newestFirst, page, type SandboxFilter } from './page.ts';
import { Reaper } from './reaper.ts';
import { toObject } from './to-object.ts';

export interface SandboxesOptions {
  readonly driver: Driver;
  readonly table: SandboxTable;
  readonly templates: Templates;
  /** Called at each use: volumes and sandboxes know each other. */
  readonly volumes: () => Volumes;
  /** Most sandboxes at one time. */
  readonly maxSandboxes: number;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
  /** Clears what a sandbox keeps outside of itself, on volumes, before it goes. */
  readonly leaving: (id: SandboxId, files: SandboxFiles) => Promise<void>;
}

/** The sandboxes of this daemon: made, found, listed, ended. */
export class Sandboxes implements Disposable {
  readonly #options: SandboxesOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #reaper: Reaper;

  constructor(options: SandboxesOptions) {
    this.#options = options;
    this.#reaper = new Reaper(
      () => this.#nextExpiry(),
      () => this.#removeExpired(),
    );
  }

  /** Takes over what an earlier daemon left. Rows that were half made or half removed are ended. */
  async recover(): Promise<{ running: number; failed: number; removed: number }> {
    const { driver, table } = this.#options;
    const rows = table.all();
    const whole = rows.filter((row) => row.status !== 'creating' && row.status !== 'deleted');
    const report = await driver.adopt(whole.map(specOf));
    const byId = new Map(whole.map((row) => [row.id, row]));
    for (const sandbox of report.running) {
      const row = byId.get(sandbox.id);
      if (row !== undefined) this.#hold({ row, sandbox, abort: new AbortController() }, sandbox);
    }
    for (const sandbox of report.stopped)
      this.#keepFailed(byId.get(sandbox.id), sandbox.reason, sandbox);
    for (const id of report.lost)
      this.#keepFailed(byId.get(id), 'it could not be taken over; delete it, or see the log');
    const gone = rows.filter((row) => !this.#entries.has(row.id));
    for (const row of gone) table.delete(row.id);
    this.#reaper.reschedule();
    return {
      running: report.running.length,
      failed: report.stopped.length + report.lost.length,
      removed: gone.length,
    };
  }

  async create(
    principal: Principal,
    request: CreateSandbox,
    options: { signal?: AbortSignal } = {},
  ): Promise<SandboxObject> {
    const startedAt = performance.now();
    const namespace = namespaceOf(request);
    if (!mayUse(principal, namespace))
      throw new SandportFault(
        'forbidden',
        `This API key may not use the namespace "${namespace}".`,
        {
          namespace,
        },
      );
    const template = await this.#options.templates.resolve(request.template ?? 'default');
    const entry: Entry = {
      row: newRow(request, template, this.#options.driver),
      abort: new AbortController(),
    };
    this.#insert(entry);
    const cancel = () => entry.abort.abort();
    options.signal?.addEventListener('abort', cancel, { once: true });
    entry.work = this.#boot(entry, request, startedAt);
    try {
      await entry.work;
    } finally {
      entry.work = undefined;
      options.signal?.removeEventListener('abort', cancel);
    }
    return toObject(entry.row);
  }

  get(principal: Principal, idOrName: string): SandboxObject {
    return toObject(this.find(principal, idOrName).row);
  }

  list(
    principal: Principal,
    filter: SandboxFilter,
  ): { sandboxes: SandboxObject[]; nextCursor?: string } {
    const visible = [...this.#entries.values()]
      .map((entry) => entry.row)
      .filter((row) => mayUse(principal, row.namespace) && matches(row, filter))
      .sort(newestFirst);
    const { rows, nextCursor } = page(visible, filter);
    return { sandboxes: rows.map(toObject), ...(nextCursor === undefined ? {} : { nextCursor }) };
  }

  /** Ends the sandbox and removes all of it but its volumes. */
  async remove(principal: Principal, idOrName: string): Promise<void> {
    await this.#remove(this.find(principal, idOrName));
  }

  /** @throws SandportFault `sandbox_not_found`, also for a sandbox of another's namespace. */
  find(principal: Principal, idOrName: string): Entry {
    const byId = this.#entries.get(idOrName);
    const entry = byId ?? this.#findByName(principal, idOrName);
    if (entry !== undefined && mayUse(principal, entry.row.namespace)) return entry;
    throw new SandportFault('sandbox_not_found', `No sandbox "${idOrName}".`, {
      sandbox: idOrName,
    });
  }

  /** Ids of the sandboxes that mount a volume. */
  usersOf(namespace: Namespace, volume: VolumeName): string[] {
    return [...this.#entries.values()]
      .filter(({ row }) => row.namespace === namespace)
      .filter(({ row }) => specOf(row).volumes.some(({ name }) => name === volume))
      .map(({ row }) => row.id);
  }

  /** Stops the clock. Sandboxes keep running. */
  [Symbol.dispose](): void {
    this.#reaper[Symbol.dispose]();
  }

  /** `default` comes first when several namespaces that the key may use have the name. */
  #findByName(principal: Principal, name: string): Entry | undefined {
    const named = [...this.#entries.values()].filter(
      ({ row }) => row.name === name && mayUse(principal, row.namespace),
    );
    return named.find(({ row }) => row.namespace === 'default') ?? named[0];
  }

  #insert(entry: Entry): void {
    const { table, maxSandboxes } = this.#options;
    if (this.#entries.size >= maxSandboxes)
      throw new SandportFault('limit_reached', `There are ${maxSandboxes} sandboxes already.`, {
        limit: maxSandboxes,
      });
    try {
      table.insert(entry.row);
    } catch (error) {
      if (!(error instanceof NameTakenError)) throw error;
      const { name, namespace } = entry.row;
      throw new SandportFault(
        'name_taken',
        `Another sandbox of "${namespace}" is called "${name}".`,
        { name },
      );
    }
    this.#entries.set(entry.row.id, entry);
  }

  /** On failure nothing of the sandbox is left. */
  async #boot(entry: Entry, request: CreateSandbox, startedAt: number): Promise<void> {
    const { driver, table, volumes } = this.#options;
    const spec = specOf(entry.row);
    let sandbox: DriverSandbox | undefined;
    try {
      await volumes().ensure(spec.namespace, spec.volumes);
      sandbox = await driver.create(spec, { signal: entry.abort.signal });
      if (request.workdir !== undefined) await makeWorkdir(sandbox, request.workdir);
      entry.abort.signal.throwIfAborted();
    } catch (error) {
      if (sandbox !== undefined) await driver.remove(spec.id);
      this.#entries.delete(spec.id);
      table.delete(spec.id);
      throw entry.abort.signal.aborted
        ? new SandportFault('create_failed', 'The sandbox was deleted while it was being made.', {
            reason: 'deleted',
          })
        : error;
    }
    this.#change(entry, {
      status: 'running',
      bootMs: Math.round((performance.now() - startedAt) * 10) / 10,
    });
    this.#hold(entry, sandbox);
    this.#reaper.reschedule();
  }

  /** Keeps a running sandbox and watches for its death. */
  #hold(entry: Entry, sandbox: DriverSandbox): void {
    entry.sandbox = sandbox;
    this.#entries.set(entry.row.id, entry);
    void sandbox.died.then(({ reason }) => {
      if (this.#entries.get(entry.row.id) !== entry || entry.row.status !== 'running') return;
      this.#options.log('sandbox died', { sandbox: entry.row.id, reason });
      this.#change(entry, { status: 'failed', statusReason: reason });
    });
  }

  /** A sandbox that no longer runs stays until somebody deletes it: what is in it may be wanted. */
  #keepFailed(row: SandboxRow | undefined, reason: string, sandbox?: StoppedSandbox): void {
    if (row === undefined) return;
    const entry: Entry = { row, sandbox, abort: new AbortController() };
    this.#entries.set(row.id, entry);
    this.#change(entry, { status: 'failed', statusReason: row.statusReason ?? reason });
  }

  #change(
    entry: Entry,
    change: Partial<Pick<SandboxRow, 'status' | 'statusReason' | 'bootMs'>>,
  ): void {
    entry.row = { ...entry.row, ...change };
    this.#options.table.update(entry.row);
  }

  async #remove(entry: Entry): Promise<void> {
    if (entry.row.status === 'creating') {
      entry.abort.abort();
      await entry.work?.catch(() => undefined);
      return;
    }
    if (entry.row.status !== 'deleted') this.#change(entry, { status: 'deleted' });
    // One removal for all who ask; after a failure the next one to ask tries again.
    entry.work ??= this.#end(entry).finally(() => {
      entry.work = undefined;
    });
    await entry.work;
  }

  async #end({ row: { id }, sandbox }: Entry): Promise<void> {
    const { driver, table, leaving, log } = this.#options;
    if (sandbox !== undefined)
      await leaving(id, sandbox.files).catch((error: unknown) => {
        log('sandbox leaves something behind', { sandbox: id, error: String(error) });
      });
    await driver.remove(id);
    table.delete(id);
    this.#entries.delete(id);
  }

  #nextExpiry(): Date | undefined {
    let next: Date | undefined;
    for (const { row } of this.#entries.values())
      if (row.expiresAt !== undefined && row.status !== 'deleted')
        if (next === undefined || row.expiresAt < next) next = row.expiresAt;
    return next;
  }

  #removeExpired(): void {
    const at = new Date();
    for (const entry of this.#entries.values()) {
      const { id, expiresAt, status } = entry.row;
      if (expiresAt === undefined || expiresAt > at || status === 'deleted') continue;
      this.#options.log('sandbox expired', { sandbox: id });
      this.#remove(entry).catch((error: unknown) => {
        this.#options.log('expired sandbox not removed', { sandbox: id, error: String(error) });
      });
    }
  }
}

/** A working directory of the caller's choice is made, so that the first command finds it. */
async function makeWorkdir(sandbox: DriverSandbox, workdir: string): Promise<void> {
  await sandbox.files.makeDirectory(parseGuestPath(workdir));
}
