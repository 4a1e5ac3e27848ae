import { type Namespace, type SandboxId, SandportFault, type VolumeName } from '@sandport/protocol';
import { NameTakenError, type SandboxRow, type SandboxTable } from '@sandport/state';
import { mayUse, type Principal } from '../principal.ts';
import { type Entry, specOf } from './entry.ts';

export const volumeKey = (namespace: Namespace, name: VolumeName): string => `${namespace}/${name}`;

/** The sandboxes that there are, in memory and in the state file. */
export class Registry {
  readonly #table: SandboxTable;
  readonly #maxSandboxes: number;
  readonly #entries = new Map<string, Entry>();

  /** @param maxSandboxes most at one time */
  constructor(table: SandboxTable, maxSandboxes: number) {
    this.#table = table;
    this.#maxSandboxes = maxSandboxes;
  }

  /** Takes over an entry whose row is in the state file. */
  hold(entry: Entry): void {
    this.#entries.set(entry.row.id, entry);
  }

  /** @throws SandportFault `limit_reached`, `name_taken` */
  insert(entry: Entry): void {
    const limit = this.#maxSandboxes;
    if (this.#entries.size >= limit)
      throw new SandportFault('limit_reached', `There are ${limit} sandboxes already.`, { limit });
    this.#refuseTakenName(entry.row, () => this.#table.insert(entry.row));
    this.#entries.set(entry.row.id, entry);
  }

  /** @throws SandportFault `name_taken` */
  change(entry: Entry, change: Partial<SandboxRow>): void {
    const row = { ...entry.row, ...change };
    this.#refuseTakenName(row, () => this.#table.update(row));
    entry.row = row;
  }

  forget(id: SandboxId): void {
    this.#table.delete(id);
    this.#entries.delete(id);
  }

  byId(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** All, those too that were made ahead. */
  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** Those that somebody has asked for and that the key may see. */
  visible(principal: Principal): Entry[] {
    return this.all().filter(({ row }) => !row.pooled && mayUse(principal, row.namespace));
  }

  /** @throws SandportFault `sandbox_not_found`, also for a sandbox of another's namespace. */
  find(principal: Principal, idOrName: string): Entry {
    const byId = this.#entries.get(idOrName);
    const entry = byId ?? this.#findByName(principal, idOrName);
    if (entry !== undefined && !entry.row.pooled && mayUse(principal, entry.row.namespace))
      return entry;
    throw new SandportFault('sandbox_not_found', `No sandbox "${idOrName}".`, {
      sandbox: idOrName,
    });
  }

  /** By volume, as {@link volumeKey}: the ids of the sandboxes that mount it. */
  volumeUsers(): Map<string, string[]> {
    const users = new Map<string, string[]>();
    for (const { row } of this.all())
      for (const { name } of specOf(row).volumes) {
        const key = volumeKey(row.namespace, name);
        const ids = users.get(key);
        if (ids === undefined) users.set(key, [row.id]);
        else ids.push(row.id);
      }
    return users;
  }

  /** `default` comes first when several namespaces that the key may use have the name. */
  #findByName(principal: Principal, name: string): Entry | undefined {
    const named = this.visible(principal).filter(({ row }) => row.name === name);
    return named.find(({ row }) => row.namespace === 'default') ?? named[0];
  }

  #refuseTakenName(row: SandboxRow, write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof NameTakenError)) throw error;
      throw new SandportFault(
        'name_taken',
        `Another sandbox of "${row.namespace}" is called "${row.name}".`,
        { name: row.name },
      );
    }
  }
}
