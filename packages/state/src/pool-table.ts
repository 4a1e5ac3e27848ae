import { type Isolation, isolationSchema } from '@sandport/protocol';
import type { Database } from './database.ts';

/** How many sandboxes of a template are kept ready. */
export interface PoolRow {
  readonly template: string;
  readonly isolation: Isolation;
  readonly size: number;
}

/** The table of pools. */
export class PoolTable {
  readonly #set;
  readonly #delete;
  readonly #all;

  constructor(database: Database) {
    this.#set = database.prepare('INSERT OR REPLACE INTO pools VALUES (?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM pools WHERE template = ? AND isolation = ?');
    this.#all = database.prepare('SELECT * FROM pools ORDER BY template, isolation');
  }

  set({ template, isolation, size }: PoolRow): void {
    this.#set.run(template, isolation, size);
  }

  delete(template: string, isolation: Isolation): void {
    this.#delete.run(template, isolation);
  }

  all(): PoolRow[] {
    const rows = this.#all.all() as { template: string; isolation: string; size: number }[];
    return rows.map((raw) => ({ ...raw, isolation: isolationSchema.parse(raw.isolation) }));
  }
}
