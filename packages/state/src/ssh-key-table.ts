import type { Database } from './database.ts';

/** A public key that stands for an API key. */
export interface SshKeyRow {
  readonly id: string;
  /** Id of the API key that registered it. */
  readonly key: string;
  readonly label: string;
  /** As `ssh-ed25519`. */
  readonly type: string;
  /** The key as it goes over the wire (RFC 4253, 6.6). */
  readonly blob: Buffer;
  readonly createdAt: Date;
}

interface RawRow {
  id: string;
  key: string;
  label: string;
  type: string;
  blob: Buffer;
  created_at: number;
}

/** The table of public keys for SSH. */
export class SshKeyTable {
  readonly #insert;
  readonly #delete;
  readonly #all;
  readonly #byBlob;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT INTO ssh_keys VALUES (?, ?, ?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM ssh_keys WHERE id = ?');
    this.#all = database.prepare('SELECT * FROM ssh_keys ORDER BY created_at, id');
    this.#byBlob = database.prepare(
      'SELECT * FROM ssh_keys WHERE blob = ? ORDER BY created_at, id',
    );
  }

  insert(row: SshKeyRow): void {
    this.#insert.run(row.id, row.key, row.label, row.type, row.blob, row.createdAt.getTime());
  }

  /** True when there was such a key. */
  delete(id: string): boolean {
    return this.#delete.run(id).changes > 0;
  }

  /** Oldest first. */
  all(): SshKeyRow[] {
    return (this.#all.all() as RawRow[]).map(parse);
  }

  /** Oldest first: several API keys may have registered the same one. */
  byBlob(blob: Buffer): SshKeyRow[] {
    // In an array: a lone Buffer would be taken for named parameters.
    return (this.#byBlob.all([blob]) as RawRow[]).map(parse);
  }
}

const parse = (raw: RawRow): SshKeyRow => ({
  id: raw.id,
  key: raw.key,
  label: raw.label,
  type: raw.type,
  blob: Buffer.from(raw.blob),
  createdAt: new Date(raw.created_at),
});
