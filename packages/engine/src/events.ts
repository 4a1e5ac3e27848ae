import type { EventType, SandboxEvent } from '@sandport/protocol';
import type { EventFilter, EventRow, EventTable, SandboxRow } from '@sandport/state';
import { mayUse, type Principal } from './principal.ts';
import type { Registry } from './sandboxes/registry.ts';

/** How long events outlive their sandbox, in milliseconds. */
const keptMs = 86_400_000;
const pruneEveryMs = 3_600_000;
/** Most events of one sandbox, beside those of {@link cutEvery}. */
export const maxEventsOfSandbox = 10_000;
/** Older events of a sandbox are forgotten each time that so many have come. */
const cutEvery = 100;
/** Events that one who follows is handed at a time. */
const followPage = 100;

export interface ListEventsOptions {
  /** Most events. @default 50 */
  readonly tail?: number | undefined;
}

export interface FollowEventsOptions extends ListEventsOptions {
  /** Begin behind the event with this id, instead of with the last `tail` ones. */
  readonly after?: number | undefined;
  /** Ends the events. */
  readonly signal: AbortSignal;
}

const defaultTail = 50;

/** What happens to sandboxes: kept in the state file, and told to who listens. */
export class Events implements Disposable {
  readonly #table: EventTable;
  readonly #registry: () => Registry;
  /** Called at the next event, once. */
  readonly #waiting = new Set<() => void>();
  readonly #uncut = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param registry called at each use: events and sandboxes know each other */
  constructor(table: EventTable, registry: () => Registry) {
    this.#table = table;
    this.#registry = registry;
  }

  /** Begins to forget what is old. */
  start(): void {
    const prune = () => this.#table.prune(new Date(Date.now() - keptMs));
    prune();
    this.#timer = setInterval(prune, pruneEveryMs).unref();
  }

  emit(
    row: Pick<SandboxRow, 'id' | 'namespace'>,
    type: EventType,
    payload: Readonly<Record<string, unknown>> = {},
  ): void {
    const { id: sandbox, namespace } = row;
    const event = this.#table.insert({ sandbox, namespace, at: new Date(), type, payload });
    this.#cut(event);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /**
   * The last ones, oldest first. @param sandbox id or name; undefined: of all that the key may see
   * @throws SandportFault `sandbox_not_found`
   */
  list(principal: Principal, sandbox?: string, options: ListEventsOptions = {}): SandboxEvent[] {
    const filter = this.#filter(principal, sandbox);
    return this.#table.last(options.tail ?? defaultTail, filter).map(eventObject);
  }

  /**
   * The last ones and then those that happen, in order, none twice. Ends behind the end of the
   * sandbox, and when `signal` aborts.
   * @throws SandportFault `sandbox_not_found`
   */
  follow(
    principal: Principal,
    sandbox: string | undefined,
    options: FollowEventsOptions,
  ): AsyncGenerator<SandboxEvent> {
    const { tail = defaultTail, after, signal } = options;
    const filter = this.#filter(principal, sandbox);
    const from =
      after === undefined ? this.#beforeLast(tail, filter) : Math.min(after, this.#table.lastId());
    return this.#follow(filter, from, signal);
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async *#follow(
    filter: EventFilter,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<SandboxEvent> {
    let seen = from;
    while (!signal.aborted) {
      const newest = this.#table.lastId();
      const rows = this.#table.since(seen, followPage, filter);
      for (const row of rows) {
        yield eventObject(row);
        seen = row.id;
      }
      if (rows.length > 0) continue;
      // What others may see is not looked through again.
      seen = newest;
      if (filter.sandbox !== undefined && this.#isOver(filter.sandbox)) return;
      await this.#next(signal);
    }
  }

  /** Resolves at the next event, and when `signal` aborts. */
  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }

  /** Id behind which the last ones are. */
  #beforeLast(tail: number, filter: EventFilter): number {
    const first = tail === 0 ? undefined : this.#table.last(tail, filter)[0];
    return first === undefined ? this.#table.lastId() : first.id - 1;
  }

  #isOver(sandbox: string): boolean {
    return this.#registry().byId(sandbox) === undefined;
  }

  /** A sandbox that is gone is found by its id. */
  #filter(principal: Principal, sandbox: string | undefined): EventFilter {
    const { namespaces } = principal;
    if (sandbox === undefined) return { namespaces };
    const namespace = this.#isOver(sandbox) ? this.#table.namespaceOf(sandbox) : undefined;
    if (namespace !== undefined && mayUse(principal, namespace)) return { sandbox, namespaces };
    return { sandbox: this.#registry().find(principal, sandbox).row.id, namespaces };
  }

  #cut({ sandbox, type }: EventRow): void {
    const uncut = (this.#uncut.get(sandbox) ?? 0) + 1;
    if (type === 'deleted') this.#uncut.delete(sandbox);
    else this.#uncut.set(sandbox, uncut % cutEvery);
    if (uncut === cutEvery) this.#table.cut(sandbox, maxEventsOfSandbox);
  }
}

/** An event as clients see it. */
const eventObject = ({ id, at, sandbox, type, payload }: EventRow): SandboxEvent => ({
  id,
  time: at.toISOString(),
  sandbox_id: sandbox,
  type,
  payload: { ...payload },
});
