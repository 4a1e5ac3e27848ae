import {
  type GuestPath,
  parseGuestPath,
  type SandboxId,
  sandboxIdSchema,
} from '@sandport/protocol';
import { z } from 'zod';
import type { Database } from './database.ts';

export interface LinkRow {
  readonly id: string;
  readonly sandbox: SandboxId;
  /** Id of the key that made it. */
  readonly key: string;
  /** SHA-256 of the secret in the address; the secret itself is not kept. */
  readonly tokenSha256: Buffer;
  readonly path: GuestPath;
  readonly method: 'GET' | 'PUT';
  /** Largest upload; undefined: no limit. */
  readonly maxBytes: number | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

interface RawRow {
  id: string;
  sandbox: string;
  key: string;
  token_sha256: Buffer;
  path: string;
  method: string;
  max_bytes: number | null;
  created_at: number;
  expires_at: number;
}

/** The table of links that need no key. */
export class LinkTable {
  readonly #insert;
  readonly #delete;
  readonly #byToken;
  readonly #ofSandbox;
  readonly #deleteExpired;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM links WHERE sandbox = ? AND id = ?');
    this.#byToken = database.prepare('SELECT * FROM links WHERE token_sha256 = ?');
    this.#ofSandbox = database.prepare(
      'SELECT * FROM links WHERE sandbox = ? ORDER BY created_at, id',
    );
    this.#deleteExpired = database.prepare('DELETE FROM links WHERE expires_at <= ?');
  }

  insert(row: LinkRow): void {
    this.#insert.run(
      row.id,
      row.sandbox,
      row.key,
      row.tokenSha256,
      row.path,
      row.method,
      row.maxBytes ?? null,
      row.createdAt.getTime(),
      row.expiresAt.getTime(),
    );
  }

  /** True when the sandbox had such a link. */
  delete(sandbox: SandboxId, id: string): boolean {
    return this.#delete.run(sandbox, id).changes > 0;
  }

  byToken(tokenSha256: Buffer): LinkRow | undefined {
    // In an array: a lone Buffer would be taken for named parameters.
    const raw = this.#byToken.get([tokenSha256]) as RawRow | undefined;
    return raw === undefined ? undefined : parse(raw);
  }

  /** Oldest first. */
  ofSandbox(sandbox: SandboxId): LinkRow[] {
    return (this.#ofSandbox.all(sandbox) as RawRow[]).map(parse);
  }

  deleteExpired(at: Date): void {
    this.#deleteExpired.run(at.getTime());
  }
}

const parse = (raw: RawRow): LinkRow => ({
  id: raw.id,
  sandbox: sandboxIdSchema.parse(raw.sandbox),
  key: raw.key,
  tokenSha256: Buffer.from(raw.token_sha256),
  path: parseGuestPath(raw.path),
  method: z.enum(['GET', 'PUT']).parse(raw.method),
  maxBytes: raw.max_bytes ?? undefined,
  createdAt: new Date(raw.created_at),
  expiresAt: new Date(raw.expires_at),
});
