import {
  type Isolation,
  isolationSchema,
  type Namespace,
  namespaceSchema,
  type SandboxId,
  type SandboxName,
  type SandboxStatus,
  sandboxIdSchema,
  sandboxNameSchema,
  sandboxStatusSchema,
} from '@sandport/protocol';
import type { Database } from './database.ts';

/** What is remembered of a sandbox. `spec` is the engine's own JSON. */
export interface SandboxRow {
  readonly id: SandboxId;
  readonly namespace: Namespace;
  readonly name?: SandboxName | undefined;
  readonly template: string;
  readonly isolation: Isolation;
  readonly status: SandboxStatus;
  readonly statusReason?: string | undefined;
  readonly spec: unknown;
  readonly metadata: Readonly<Record<string, string>>;
  /** 0: never. */
  readonly ttlSeconds: number;
  readonly persistent: boolean;
  readonly bootMs: number;
  readonly createdAt: Date;
  readonly expiresAt?: Date | undefined;
}

/** Thrown by `insert` when another sandbox of the namespace has the name. */
export class NameTakenError extends Error {}

interface RawRow {
  id: string;
  namespace: string;
  name: string | null;
  template: string;
  isolation: string;
  status: string;
  status_reason: string | null;
  spec: string;
  metadata: string;
  ttl_seconds: number;
  persistent: number;
  boot_ms: number;
  created_at: number;
  expires_at: number | null;
}

/** The table of sandboxes; every method is one transaction. */
export class SandboxTable {
  readonly #insert;
  readonly #update;
  readonly #delete;
  readonly #all;

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO sandboxes (id, namespace, name, template, isolation, status, status_reason, spec,
         metadata, ttl_seconds, persistent, boot_ms, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#update = database.prepare(
      'UPDATE sandboxes SET status = ?, status_reason = ?, boot_ms = ? WHERE id = ?',
    );
    this.#delete = database.prepare('DELETE FROM sandboxes WHERE id = ?');
    this.#all = database.prepare('SELECT * FROM sandboxes ORDER BY created_at DESC, id DESC');
  }

  /** @throws NameTakenError */
  insert(row: SandboxRow): void {
    try {
      this.#insert.run(
        row.id,
        row.namespace,
        row.name ?? null,
        row.template,
        row.isolation,
        row.status,
        row.statusReason ?? null,
        JSON.stringify(row.spec),
        JSON.stringify(row.metadata),
        row.ttlSeconds,
        row.persistent ? 1 : 0,
        row.bootMs,
        row.createdAt.getTime(),
        row.expiresAt?.getTime() ?? null,
      );
    } catch (error) {
      if (error instanceof Error && error.message.includes('UNIQUE')) throw new NameTakenError();
      throw error;
    }
  }

  /** Changes what may change in a sandbox's life. No error when the row is gone. */
  update(row: Pick<SandboxRow, 'id' | 'status' | 'statusReason' | 'bootMs'>): void {
    this.#update.run(row.status, row.statusReason ?? null, row.bootMs, row.id);
  }

  delete(id: SandboxId): void {
    this.#delete.run(id);
  }

  /** All sandboxes, newest first. */
  all(): SandboxRow[] {
    return (this.#all.all() as RawRow[]).map(parse);
  }
}

function parse(raw: RawRow): SandboxRow {
  return {
    id: sandboxIdSchema.parse(raw.id),
    namespace: namespaceSchema.parse(raw.namespace),
    name: raw.name === null ? undefined : sandboxNameSchema.parse(raw.name),
    template: raw.template,
    isolation: isolationSchema.parse(raw.isolation),
    status: sandboxStatusSchema.parse(raw.status),
    statusReason: raw.status_reason ?? undefined,
    spec: JSON.parse(raw.spec),
    metadata: JSON.parse(raw.metadata) as Record<string, string>,
    ttlSeconds: raw.ttl_seconds,
    persistent: raw.persistent === 1,
    bootMs: raw.boot_ms,
    createdAt: new Date(raw.created_at),
    expiresAt: raw.expires_at === null ? undefined : new Date(raw.expires_at),
  };
}
