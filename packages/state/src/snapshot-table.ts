import {
  type Namespace,
  namespaceSchema,
  type SandboxId,
  type SnapshotId,
  type SnapshotName,
  sandboxIdSchema,
  snapshotIdSchema,
  snapshotNameSchema,
} from '@sandport/protocol';
import type { Database } from './database.ts';
import { NameTakenError } from './sandbox-table.ts';

/** What is remembered of a snapshot. `spec` is the engine's own JSON: that of the sandbox. */
export interface SnapshotRow {
  readonly id: SnapshotId;
  readonly namespace: Namespace;
  readonly name?: SnapshotName | undefined;
  /** It may be gone. */
  readonly sandbox: SandboxId;
  readonly status: 'creating' | 'ready' | 'deleted';
  readonly spec: unknown;
  readonly memory: boolean;
  readonly sizeBytes: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly pauseMs: number;
  readonly createdAt: Date;
}

interface RawRow {
  id: string;
  namespace: string;
  name: string | null;
  sandbox: string;
  status: SnapshotRow['status'];
  spec: string;
  memory: number;
  size_bytes: number;
  metadata: string;
  pause_ms: number;
  created_at: number;
}

/** The table of snapshots; every method is one transaction. */
export class SnapshotTable {
  readonly #insert;
  readonly #update;
  readonly #delete;
  readonly #all;

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO snapshots (id, namespace, name, sandbox, status, spec, memory, size_bytes,
         metadata, pause_ms, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#update = database.prepare(
      'UPDATE snapshots SET status = ?, memory = ?, size_bytes = ?, pause_ms = ? WHERE id = ?',
    );
    this.#delete = database.prepare('DELETE FROM snapshots WHERE id = ?');
    this.#all = database.prepare('SELECT * FROM snapshots ORDER BY created_at DESC, id DESC');
  }

  /** @throws NameTakenError */
  insert(row: SnapshotRow): void {
    try {
      this.#insert.run(
        row.id,
        row.namespace,
        row.name ?? null,
        row.sandbox,
        row.status,
        JSON.stringify(row.spec),
        row.memory ? 1 : 0,
        row.sizeBytes,
        JSON.stringify(row.metadata),
        row.pauseMs,
        row.createdAt.getTime(),
      );
    } catch (error) {
      if (error instanceof Error && error.message.includes('UNIQUE')) throw new NameTakenError();
      throw error;
    }
  }

  /** Changes what may change. No error when the row is gone. */
  update(row: Pick<SnapshotRow, 'id' | 'status' | 'memory' | 'sizeBytes' | 'pauseMs'>): void {
    this.#update.run(row.status, row.memory ? 1 : 0, row.sizeBytes, row.pauseMs, row.id);
  }

  delete(id: SnapshotId): void {
    this.#delete.run(id);
  }

  /** All snapshots, newest first. */
  all(): SnapshotRow[] {
    return (this.#all.all() as RawRow[]).map((raw) => ({
      id: snapshotIdSchema.parse(raw.id),
      namespace: namespaceSchema.parse(raw.namespace),
      name: raw.name === null ? undefined : snapshotNameSchema.parse(raw.name),
      sandbox: sandboxIdSchema.parse(raw.sandbox),
      status: raw.status,
      spec: JSON.parse(raw.spec),
      memory: raw.memory === 1,
      sizeBytes: raw.size_bytes,
      metadata: JSON.parse(raw.metadata) as Record<string, string>,
      pauseMs: raw.pause_ms,
      createdAt: new Date(raw.created_at),
    }));
  }
}
