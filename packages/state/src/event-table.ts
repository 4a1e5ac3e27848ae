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

/** Which events are looked for. */
export interface EventFilter {
  /** Id of a sandbox. @default all sandboxes */
  readonly sandbox?: string | undefined;
  /** @default all namespaces */
  readonly namespaces?: Iterable<Namespace> | undefined;
}

/** The table of events. */
export class EventTable {
  readonly #insert;
  readonly #newest;
  readonly #since;
  readonly #lastId;
  readonly #namespaceOf;
  readonly #cut;
  readonly #prune;

  constructor(database: Database) {
    this.#insert = database.prepare(
      'INSERT INTO events (sandbox, namespace, at, type, payload) VALUES (?, ?, ?, ?, ?) RETURNING id',
    );
    const select = (order: 'ASC' | 'DESC') => {
      const chosen = 'id > ? AND (? IS NULL OR namespace IN (SELECT value FROM json_each(?)))';
      const rest = `${chosen} ORDER BY id ${order} LIMIT ?`;
      const ofAll = database.prepare(`SELECT * FROM events WHERE ${rest}`);
      const ofOne = database.prepare(`SELECT * FROM events WHERE sandbox = ? AND ${rest}`);
      return ({ sandbox, namespaces }: EventFilter, after: number, limit: number): RawRow[] => {
        const names = namespaces === undefined ? null : JSON.stringify([...namespaces]);
        const values = [after, names, names, limit];
        return (
          sandbox === undefined ? ofAll.all(...values) : ofOne.all(sandbox, ...values)
        ) as RawRow[];
      };
    };
    this.#newest = select('DESC');
    this.#since = select('ASC');
    this.#lastId = database.prepare('SELECT coalesce(max(id), 0) AS id FROM events');
    this.#namespaceOf = database.prepare('SELECT namespace FROM events WHERE sandbox = ? LIMIT 1');
    this.#cut = database.prepare(
      'DELETE FROM events WHERE sandbox = ? AND id <= (SELECT id FROM events WHERE sandbox = ? ORDER BY id DESC LIMIT 1 OFFSET ?)',
    );
    this.#prune = database.prepare(
      "DELETE FROM events WHERE sandbox IN (SELECT sandbox FROM events WHERE type = 'deleted' AND at < ?)",
    );
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

  /** The newest ones, oldest first. */
  last(limit: number, filter: EventFilter = {}): EventRow[] {
    return this.#newest(filter, 0, limit).toReversed().map(parse);
  }

  /** The first ones behind an id, oldest first. */
  since(after: number, limit: number, filter: EventFilter = {}): EventRow[] {
    return this.#since(filter, after, limit).map(parse);
  }

  /** Id of the newest event; 0 when there is none. */
  lastId(): number {
    return (this.#lastId.get() as { id: number }).id;
  }

  /** Namespace of a sandbox that has events, and may be gone. */
  namespaceOf(sandbox: string): Namespace | undefined {
    const row = this.#namespaceOf.get(sandbox) as { namespace: string } | undefined;
    return row === undefined ? undefined : namespaceSchema.parse(row.namespace);
  }

  /** Forgets all but the newest of a sandbox. */
  cut(sandbox: string, kept: number): void {
    this.#cut.run(sandbox, sandbox, kept);
  }

  /** Forgets the events of sandboxes that were deleted before. */
  prune(before: Date): void {
    this.#prune.run(before.getTime());
  }
}

const parse = (raw: RawRow): EventRow => ({
  id: raw.id,
  sandbox: raw.sandbox,
  namespace: namespaceSchema.parse(raw.namespace),
  at: new Date(raw.at),
  type: eventTypeSchema.parse(raw.type),
  payload: JSON.parse(raw.payload) as Record<string, unknown>,
});
