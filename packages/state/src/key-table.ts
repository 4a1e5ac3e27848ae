import { type Namespace, namespaceSchema } from '@sandport/protocol';
import { z } from 'zod';
import type { Database } from './database.ts';

export interface KeyRow {
  readonly id: string;
  readonly label: string;
  /** SHA-256 of the key; the key itself is not kept. */
  readonly sha256: Buffer;
  /** Undefined: all namespaces, and administration. */
  readonly namespaces?: readonly Namespace[] | undefined;
  readonly createdAt: Date;
}

interface RawRow {
  id: string;
  label: string;
  sha256: Buffer;
  namespaces: string | null;
  created_at: number;
}

/** The table of API keys. */
export class KeyTable {
  readonly #insert;
  readonly #delete;
  readonly #all;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT INTO keys VALUES (?, ?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM keys WHERE id = ?');
    this.#all = database.prepare('SELECT * FROM keys ORDER BY created_at, id');
  }

  insert(row: KeyRow): void {
    this.#insert.run(
      row.id,
      row.label,
      row.sha256,
      row.namespaces === undefined ? null : JSON.stringify(row.namespaces),
      row.createdAt.getTime(),
    );
  }

  /** True when there was such a key. */
  delete(id: string): boolean {
    return this.#delete.run(id).changes > 0;
  }

  all(): KeyRow[] {
    return (this.#all.all() as RawRow[]).map((raw) => ({
      id: raw.id,
      label: raw.label,
      sha256: Buffer.from(raw.sha256),
      namespaces:
        raw.namespaces === null
          ? undefined
          : z.array(namespaceSchema).parse(JSON.parse(raw.namespaces)),
      createdAt: new Date(raw.created_at),
    }));
  }
}
