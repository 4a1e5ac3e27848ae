import {
  type BootMode,
  bootModeSchema,
  type IdleAction,
  idleActionSchema,
  type Isolation,
  isolationSchema,
  type Namespace,
  namespaceSchema,
  type SandboxId,
  type SandboxName,
  type SandboxStatus,
  type SnapshotId,
  sandboxIdSchema,
  sandboxNameSchema,
  sandboxStatusSchema,
  snapshotIdSchema,
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
  /** 0: never. */
  readonly idleTimeoutSeconds: number;
  readonly idleAction: IdleAction;
  /** When the last command or transfer was seen; may lag some seconds behind. */
  readonly activeAt: Date;
  /** Of a hibernated one: whether its memory was kept. */
  readonly memory?: boolean | undefined;
  readonly bootMode: BootMode;
  readonly bootMs: number;
  readonly createdAt: Date;
  readonly expiresAt?: Date | undefined;
  readonly parent?: SandboxId | undefined;
  readonly forkTree?: string | undefined;
  readonly snapshot?: SnapshotId | undefined;
  /** Made ahead; nobody has asked for it yet. */
  readonly pooled: boolean;
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
  idle_timeout_seconds: number;
  idle_action: string;
  active_at: number;
  memory: number | null;
  boot_mode: string;
  parent: string | null;
  fork_tree: string | null;
  snapshot: string | null;
  pooled: number;
}

const columns = [
  'id',
  'namespace',
  'name',
  'template',
  'isolation',
  'status',
  'status_reason',
  'spec',
  'metadata',
  'ttl_seconds',
  'persistent',
  'boot_ms',
  'created_at',
  'expires_at',
  'idle_timeout_seconds',
  'idle_action',
  'active_at',
  'memory',
  'boot_mode',
  'parent',
  'fork_tree',
  'snapshot',
  'pooled',
] as const;

type Value = string | number | null;

const values = (row: SandboxRow): Record<(typeof columns)[number], Value> => ({
  id: row.id,
  namespace: row.namespace,
  name: row.name ?? null,
  template: row.template,
  isolation: row.isolation,
  status: row.status,
  status_reason: row.statusReason ?? null,
  spec: JSON.stringify(row.spec),
  metadata: JSON.stringify(row.metadata),
  ttl_seconds: row.ttlSeconds,
  persistent: row.persistent ? 1 : 0,
  boot_ms: row.bootMs,
  created_at: row.createdAt.getTime(),
  expires_at: row.expiresAt?.getTime() ?? null,
  idle_timeout_seconds: row.idleTimeoutSeconds,
  idle_action: row.idleAction,
  active_at: row.activeAt.getTime(),
  memory: row.memory === undefined ? null : row.memory ? 1 : 0,
  boot_mode: row.bootMode,
  parent: row.parent ?? null,
  fork_tree: row.forkTree ?? null,
  snapshot: row.snapshot ?? null,
  pooled: row.pooled ? 1 : 0,
});

/** The table of sandboxes; every method is one transaction. */
export class SandboxTable {
  readonly #insert;
  readonly #update;
  readonly #delete;
  readonly #all;

  constructor(database: Database) {
    const names = columns.join(', ');
    this.#insert = database.prepare(
      `INSERT INTO sandboxes (${names}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    const changes = columns.map((name) => `${name} = ?`).join(', ');
    this.#update = database.prepare(`UPDATE sandboxes SET ${changes} WHERE id = ?`);
    this.#delete = database.prepare('DELETE FROM sandboxes WHERE id = ?');
    this.#all = database.prepare('SELECT * FROM sandboxes ORDER BY created_at DESC, id DESC');
  }

  /** @throws NameTakenError */
  insert(row: SandboxRow): void {
    try {
      this.#insert.run(...inOrder(row));
    } catch (error) {
      if (error instanceof Error && error.message.includes('UNIQUE')) throw new NameTakenError();
      throw error;
    }
  }

  /** Writes all of a row that is there. No error when it is gone. @throws NameTakenError */
  update(row: SandboxRow): void {
    try {
      this.#update.run(...inOrder(row), row.id);
    } catch (error) {
      if (error instanceof Error && error.message.includes('UNIQUE')) throw new NameTakenError();
      throw error;
    }
  }

  delete(id: SandboxId): void {
    this.#delete.run(id);
  }

  /** All sandboxes, newest first. */
  all(): SandboxRow[] {
    return (this.#all.all() as RawRow[]).map(parse);
  }
}

function inOrder(row: SandboxRow): Value[] {
  const all = values(row);
  return columns.map((name) => all[name]);
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
    idleTimeoutSeconds: raw.idle_timeout_seconds,
    idleAction: idleActionSchema.parse(raw.idle_action),
    activeAt: new Date(raw.active_at),
    memory: raw.memory === null ? undefined : raw.memory === 1,
    bootMode: bootModeSchema.parse(raw.boot_mode),
    parent: raw.parent === null ? undefined : sandboxIdSchema.parse(raw.parent),
    forkTree: raw.fork_tree ?? undefined,
    snapshot: raw.snapshot === null ? undefined : snapshotIdSchema.parse(raw.snapshot),
    pooled: raw.pooled === 1,
  };
}
