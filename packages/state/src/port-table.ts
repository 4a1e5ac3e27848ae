import { type PortVisibility, portVisibilitySchema, type SandboxId } from '@sandport/protocol';
import type { Database } from './database.ts';

/** A port of a sandbox that was exposed. */
export interface PortRow {
  readonly sandbox: SandboxId;
  readonly port: number;
  readonly label: string | undefined;
  readonly visibility: PortVisibility;
}

interface RawRow {
  port: number;
  label: string | null;
  visibility: string;
}

/** The table of exposed ports. They go with their sandbox. */
export class PortTable {
  readonly #set;
  readonly #delete;
  readonly #ofSandbox;

  constructor(database: Database) {
    this.#set = database.prepare('INSERT OR REPLACE INTO ports VALUES (?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM ports WHERE sandbox = ? AND port = ?');
    this.#ofSandbox = database.prepare(
      'SELECT port, label, visibility FROM ports WHERE sandbox = ? ORDER BY port',
    );
  }

  set({ sandbox, port, label, visibility }: PortRow): void {
    this.#set.run(sandbox, port, label ?? null, visibility);
  }

  /** True when it was there. */
  delete(sandbox: SandboxId, port: number): boolean {
    return this.#delete.run(sandbox, port).changes > 0;
  }

  /** By number. */
  ofSandbox(sandbox: SandboxId): PortRow[] {
    return (this.#ofSandbox.all(sandbox) as RawRow[]).map((raw) => ({
      sandbox,
      port: raw.port,
      label: raw.label ?? undefined,
      visibility: portVisibilitySchema.parse(raw.visibility),
    }));
  }
}
