import { type Namespace, namespaceSchema } from '@sandport/protocol';
import type { Database } from './database.ts';

/** Most that the sandboxes and volumes of a namespace may have together; undefined: no limit. */
export interface QuotaRow {
  readonly namespace: Namespace;
  readonly maxSandboxes?: number | undefined;
  readonly maxMemoryMb?: number | undefined;
  readonly maxDiskMb?: number | undefined;
}

interface RawRow {
  namespace: string;
  max_sandboxes: number | null;
  max_memory_mb: number | null;
  max_disk_mb: number | null;
}

/** The table of quotas. */
export class QuotaTable {
  readonly #set;
  readonly #all;

  constructor(database: Database) {
    this.#set = database.prepare('INSERT OR REPLACE INTO quotas VALUES (?, ?, ?, ?)');
    this.#all = database.prepare('SELECT * FROM quotas ORDER BY namespace');
  }

  set(row: QuotaRow): void {
    this.#set.run(
      row.namespace,
      row.maxSandboxes ?? null,
      row.maxMemoryMb ?? null,
      row.maxDiskMb ?? null,
    );
  }

  all(): QuotaRow[] {
    return (this.#all.all() as RawRow[]).map((raw) => ({
      namespace: namespaceSchema.parse(raw.namespace),
      maxSandboxes: raw.max_sandboxes ?? undefined,
      maxMemoryMb: raw.max_memory_mb ?? undefined,
      maxDiskMb: raw.max_disk_mb ?? undefined,
    }));
  }
}
