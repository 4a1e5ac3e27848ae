import { type Namespace, type SandboxId, SandportFault, type VolumeName } from '@sandport/protocol';
import { NameTakenError, type SandboxRow, type SandboxTable } from '@sandport/state';
import { mayUse, type Principal } from '../principal.ts';
import { type Entry, specOf } from './entry.ts';

export const volumeKey = (namespace: Namespace, name: VolumeName): string => `${namespace}/${name}`;

export interface RegistryOptions {
  readonly table: SandboxTable;
  /** Most sandboxes at one time. */
  readonly maxSandboxes: number;
  /** Refuses a sandbox for which its namespace has no room. */
  readonly admit: (row: SandboxRow) => void;
  /** Called when sandboxes that were made ahead take the place of those that were asked for. */
  readonly onCrowded: () => void;
}

/** The sandboxes that there are, in memory and in the state file. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Takes over an entry whose row is in the state file. */
  hold(entry: Entry): void {
    this.#entries.set(entry.row.id, entry);
  }

  /** @throws SandportFault `limit_reached`, `name_taken`, `invalid_request` */
  insert(entry: Entry): void {
    const { row } = entry;
    if (row.pooled) this.#refuseMore(this.#entries.size);
    else this.#admit(row);
    this.#refuseTakenName(row, () => this.#options.table.insert(row));
    this.#entries.set(row.id, entry);
    if (this.#entries.size > this.#options.maxSandboxes) this.#options.onCrowded();
  }

  /**
   * Gives a sandbox that was made ahead to whoever asked for it.
   * @throws SandportFault as {@link insert}: it is then as before
   */
  claim(entry: Entry, row: SandboxRow): void {
    this.#admit(row);
    this.change(entry, row);
  }

  /** @throws SandportFault `name_taken` */
  change(entry: Entry, change: Partial<SandboxRow>): void {
    const row = { ...entry.row, ...change };
    this.#refuseTakenName(row, () => this.#options.table.update(row));
    entry.row = row;
  }

  forget(id: SandboxId): void {
    this.#options.table.delete(id);
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

  /** Those that were made ahead give way to one that is asked for. */
  #admit(row: SandboxRow): void {
    this.#refuseMore(this.all().filter((entry) => !entry.row.pooled).length);
    this.#options.admit(row);
  }

  #refuseMore(there: number): void {
    const { maxSandboxes: limit } = this.#options;
    if (there >= limit)
      throw new SandportFault('limit_reached', `There are ${limit} sandboxes already.`, {
        limit,
        resource: 'sandboxes',
      });
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
