import {
  type GuestPath,
  parseGuestPath,
  type SandboxId,
  sandboxIdSchema,
} from '@sandport/protocol';
import { z } from 'zod';
import type { Database } from './database.ts';

export interface UploadRow {
  readonly id: string;
  readonly sandbox: SandboxId;
  /** Where the file appears. */
  readonly path: GuestPath;
  /** Bytes in all; undefined until it is known. */
  readonly size: number | undefined;
  /** What the client said of the file. */
  readonly metadata: Readonly<Record<string, string | null>>;
  /** How the driver finds the bytes. */
  readonly staged: { readonly path: string; readonly identity: string };
  /** Only so many of the staged bytes count: the rest has not been checked. Undefined: all. */
  readonly trustedBytes: number | undefined;
  /** Of the file, once it is at its path; the upload is over then. */
  readonly etag: string | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

interface RawRow {
  id: string;
  sandbox: string;
  path: string;
  size: number | null;
  metadata: string;
  staged: string;
  trusted_bytes: number | null;
  etag: string | null;
  created_at: number;
  expires_at: number;
}

const metadataSchema = z.record(z.string(), z.string().nullable());
const stagedSchema = z.object({ path: z.string(), identity: z.string() });

/** The table of uploads in several requests. */
export class UploadTable {
  readonly #insert;
  readonly #update;
  readonly #delete;
  readonly #get;
  readonly #ofSandbox;
  readonly #expired;
  readonly #nextExpiry;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#update = database.prepare(
      'UPDATE uploads SET size = ?, trusted_bytes = ?, etag = ?, expires_at = ? WHERE id = ?',
    );
    this.#delete = database.prepare('DELETE FROM uploads WHERE id = ?');
    this.#get = database.prepare('SELECT * FROM uploads WHERE id = ?');
    this.#ofSandbox = database.prepare(
      'SELECT * FROM uploads WHERE sandbox = ? AND etag IS NULL ORDER BY created_at, id',
    );
    this.#expired = database.prepare('SELECT * FROM uploads WHERE expires_at <= ?');
    this.#nextExpiry = database.prepare('SELECT MIN(expires_at) AS at FROM uploads');
  }

  insert(row: UploadRow): void {
    this.#insert.run(
      row.id,
      row.sandbox,
      row.path,
      row.size ?? null,
      JSON.stringify(row.metadata),
      JSON.stringify(row.staged),
      row.trustedBytes ?? null,
      row.etag ?? null,
      row.createdAt.getTime(),
      row.expiresAt.getTime(),
    );
  }

  /** Changes what may change. No error when the row is gone. */
  update(row: UploadRow): void {
    const { size, trustedBytes, etag, expiresAt, id } = row;
    this.#update.run(size ?? null, trustedBytes ?? null, etag ?? null, expiresAt.getTime(), id);
  }

  delete(id: string): void {
    this.#delete.run(id);
  }

  get(id: string): UploadRow | undefined {
    const raw = this.#get.get(id) as RawRow | undefined;
    return raw === undefined ? undefined : parse(raw);
  }

  /** Those that are under way, oldest first. */
  ofSandbox(sandbox: SandboxId): UploadRow[] {
    return (this.#ofSandbox.all(sandbox) as RawRow[]).map(parse);
  }

  /** Those whose time is over. */
  expired(at: Date): UploadRow[] {
    return (this.#expired.all(at.getTime()) as RawRow[]).map(parse);
  }

  /** When the next one's time is over; undefined when there is none. */
  nextExpiry(): Date | undefined {
    const { at } = this.#nextExpiry.get() as { at: number | null };
    return at === null ? undefined : new Date(at);
  }
}

const parse = (raw: RawRow): UploadRow => ({
  id: raw.id,
  sandbox: sandboxIdSchema.parse(raw.sandbox),
  path: parseGuestPath(raw.path),
  size: raw.size ?? undefined,
  metadata: metadataSchema.parse(JSON.parse(raw.metadata)),
  staged: stagedSchema.parse(JSON.parse(raw.staged)),
  trustedBytes: raw.trusted_bytes ?? undefined,
  etag: raw.etag ?? undefined,
  createdAt: new Date(raw.created_at),
  expiresAt: new Date(raw.expires_at),
});
