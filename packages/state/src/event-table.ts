import {
  type EventType,
  eventTypeSchema,
  type Namespace,
  namespaceSchema,
} from '@sandport/protocol';
import type { Database } from './database.ts';

/** Something that happened to a sandbox, which may be gone. */
export interface EventRow {
  /** Grows with time. */
  readonly id: number;
  readonly sandbox: string;
  readonly namespace: Namespace;
  readonly at: Date;
  readonly type: EventType;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface RawRow {
  id: number;
  sandbox: string;
  namespace: string;
  at: number;
  type: string;
  payload: string;
}

/** The table of events. */
export class EventTable {
  readonly #insert;
  readonly #ofSandbox;
  readonly #ofAll;
  readonly #prune;

  constructor(database: Database) {
    this.#insert = database.prepare(
      'INSERT INTO events (sandbox, namespace, at, type, payload) VALUES (?, ?, ?, ?, ?) RETURNING id',
    );
    this.#ofSandbox = database.prepare(
      'SELECT * FROM events WHERE sandbox = ? AND id > ? ORDER BY id DESC LIMIT ?',
    );
    this.#ofAll = database.prepare('SELECT * FROM events WHERE id > ? ORDER BY id DESC LIMIT ?');
    this.#prune = database.prepare('DELETE FROM events WHERE at < ?');
  }

  insert(event: Omit<EventRow, 'id'>): EventRow {
    const { sandbox, namespace, at, type, payload } = event;
    const inserted = this.#insert.get(
      sandbox,
      namespace,
      at.getTime(),
      type,
      JSON.stringify(payload),
    ) as { id: number };
    return { ...event, id: inserted.id };
  }

  /** The last ones behind an id, oldest first. @param sandbox undefined: of all */
  last(limit: number, options: { sandbox?: string; after?: number } = {}): EventRow[] {
    const { sandbox, after = 0 } = options;
    const rows = (
      sandbox === undefined
        ? this.#ofAll.all(after, limit)
        : this.#ofSandbox.all(sandbox, after, limit)
    ) as RawRow[];
    return rows.toReversed().map((raw) => ({
      id: raw.id,
      sandbox: raw.sandbox,
      namespace: namespaceSchema.parse(raw.namespace),
      at: new Date(raw.at),
      type: eventTypeSchema.parse(raw.type),
      payload: JSON.parse(raw.payload) as Record<string, unknown>,
    }));
  }

  /** Forgets what is older. */
  prune(before: Date): void {
    this.#prune.run(before.getTime());
  }
}
