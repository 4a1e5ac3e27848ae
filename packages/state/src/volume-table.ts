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
  /** Undefined: no limit. */
  readonly sizeBytes?: number | undefined;
}

interface RawRow {
  namespace: string;
  name: string;
  created_at: number;
  size_bytes: number | null;
}

/** The table of volumes. */
export class VolumeTable {
  readonly #insert;
  readonly #delete;
  readonly #get;
  readonly #all;

  constructor(database: Database) {
    this.#insert = database.prepare(
      'INSERT OR IGNORE INTO volumes (namespace, name, created_at, size_bytes) VALUES (?, ?, ?, ?)',
    );
    this.#delete = database.prepare('DELETE FROM volumes WHERE namespace = ? AND name = ?');
    this.#get = database.prepare('SELECT * FROM volumes WHERE namespace = ? AND name = ?');
    this.#all = database.prepare('SELECT * FROM volumes ORDER BY namespace, name');
  }

  /** Keeps the row that is there. */
  ensure(namespace: Namespace, name: VolumeName, sizeBytes?: number): void {
    this.#insert.run(namespace, name, Date.now(), sizeBytes ?? null);
  }

  delete(namespace: Namespace, name: VolumeName): void {
    this.#delete.run(namespace, name);
  }

  get(namespace: Namespace, name: VolumeName): VolumeRow | undefined {
    const raw = this.#get.get(namespace, name) as RawRow | undefined;
    return raw === undefined ? undefined : parse(raw);
  }

  all(): VolumeRow[] {
    return (this.#all.all() as RawRow[]).map(parse);
  }
}

const parse = (raw: RawRow): VolumeRow => ({
  namespace: namespaceSchema.parse(raw.namespace),
  name: volumeNameSchema.parse(raw.name),
  createdAt: new Date(raw.created_at),
  sizeBytes: raw.size_bytes ?? undefined,
});
