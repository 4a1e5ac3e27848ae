import {
  type Namespace,
  namespaceSchema,
  type VolumeName,
  volumeNameSchema,
} from '@sandport/protocol';
import type { Database } from './database.ts';

export interface VolumeRow {
  readonly namespace: Namespace;
  readonly name: VolumeName;
  readonly createdAt: Date;
}

/** The table of volumes. */
export class VolumeTable {
  readonly #insert;
  readonly #delete;
  readonly #all;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT OR IGNORE INTO volumes VALUES (?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM volumes WHERE namespace = ? AND name = ?');
    this.#all = database.prepare('SELECT * FROM volumes ORDER BY namespace, name');
  }

  /** Keeps the row that is there. */
  ensure(namespace: Namespace, name: VolumeName): void {
    this.#insert.run(namespace, name, Date.now());
  }

  delete(namespace: Namespace, name: VolumeName): void {
    this.#delete.run(namespace, name);
  }

  all(): VolumeRow[] {
    const rows = this.#all.all() as { namespace: string; name: string; created_at: number }[];
    return rows.map((raw) => ({
      namespace: namespaceSchema.parse(raw.namespace),
      name: volumeNameSchema.parse(raw.name),
      createdAt: new Date(raw.created_at),
    }));
  }
}
