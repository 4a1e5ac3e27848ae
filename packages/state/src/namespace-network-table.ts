import {
  type Namespace,
  namespaceSchema,
  type SetNamespaceNetwork,
  setNamespaceNetworkSchema,
} from '@sandport/protocol';
import type { Database } from './database.ts';

/** What networks the sandboxes of a namespace have by default, and at most. */
export interface NamespaceNetworkRow {
  readonly namespace: Namespace;
  readonly settings: SetNamespaceNetwork;
}

/** The table of networks of namespaces. */
export class NamespaceNetworkTable {
  readonly #set;
  readonly #delete;
  readonly #all;

  constructor(database: Database) {
    this.#set = database.prepare('INSERT OR REPLACE INTO namespace_networks VALUES (?, ?)');
    this.#delete = database.prepare('DELETE FROM namespace_networks WHERE namespace = ?');
    this.#all = database.prepare('SELECT * FROM namespace_networks ORDER BY namespace');
  }

  set({ namespace, settings }: NamespaceNetworkRow): void {
    this.#set.run(namespace, JSON.stringify(settings));
  }

  /** No error when there is none. */
  delete(namespace: Namespace): void {
    this.#delete.run(namespace);
  }

  all(): NamespaceNetworkRow[] {
    const rows = this.#all.all() as { namespace: string; settings: string }[];
    return rows.map(({ namespace, settings }) => ({
      namespace: namespaceSchema.parse(namespace),
      settings: setNamespaceNetworkSchema.parse(JSON.parse(settings)),
    }));
  }
}
