import type { SandboxRow } from '@sandport/state';
import type { Events } from '../events.ts';
import { Backoff } from './backoff.ts';
import type { Entry } from './entry.ts';
import { Reaper } from './reaper.ts';

export interface DeadlinesOptions {
  /** All sandboxes. */
  readonly entries: () => readonly Entry[];
  /** Removes a sandbox. */
  readonly end: (entry: Entry) => Promise<void>;
  /** Hibernates a sandbox, unless it is used by now. */
  readonly hibernateIdle: (entry: Entry) => Promise<void>;
  readonly events: Events;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** So many idle sandboxes are put to sleep at a time: each takes a processor and the disk. */
const idleAtOnce = 4;

/** What is to be done with a sandbox because of the time. */
type Due = 'expire' | 'idle' | 'remove again';

/**
 * Ends sandboxes whose time to live is over, and ends or hibernates those that nobody uses. What
 * fails is tried again, later each time.
 */
export class Deadlines implements Disposable {
  readonly #options: DeadlinesOptions;
  readonly #reaper: Reaper;
  readonly #backoffs = new WeakMap<Entry, Backoff>();
  readonly #underWay = new WeakSet<Entry>();
  /** Idle ones among them. */
  #idleUnderWay = 0;

  constructor(options: DeadlinesOptions) {
    this.#options = options;
    this.#reaper = new Reaper(
      () => this.#next(),
      () => this.#act(),
    );
  }

  /** To be called after each change that may move a deadline. */
  reschedule(): void {
    this.#reaper.reschedule();
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    this.#reaper[Symbol.dispose]();
  }

  #next(): Date | undefined {
    let nextMs = Infinity;
    for (const entry of this.#options.entries())
      nextMs = Math.min(nextMs, this.#deadline(entry)?.inMs ?? Infinity);
    return nextMs === Infinity ? undefined : new Date(Date.now() + Math.ceil(nextMs));
  }

  #act(): void {
    for (const entry of this.#options.entries()) {
      const deadline = this.#deadline(entry);
      if (deadline === undefined || deadline.inMs > 0) continue;
      const idle = deadline.due === 'idle' ? 1 : 0;
      this.#underWay.add(entry);
      this.#idleUnderWay += idle;
      void this.#do(entry, deadline.due).finally(() => {
        this.#underWay.delete(entry);
        this.#idleUnderWay -= idle;
        this.reschedule();
      });
    }
  }

  /** What comes next for a sandbox, and in how many milliseconds. */
  #deadline(entry: Entry): { readonly due: Due; readonly inMs: number } | undefined {
    if (this.#underWay.has(entry)) return undefined;
    const backoff = this.#backoffs.get(entry);
    const waitMs = backoff?.waitMs ?? 0;
    const { status } = entry.row;
    if (status === 'deleted')
      return backoff === undefined ? undefined : { due: 'remove again', inMs: waitMs };
    const expiresInMs = (entry.row.expiresAt?.getTime() ?? Infinity) - Date.now();
    const idlesInMs = this.#whenFree(Math.max(idleInMs(entry), waitMs));
    const inMs = Math.min(expiresInMs, idlesInMs);
    if (inMs === Infinity) return undefined;
    return { due: expiresInMs <= idlesInMs ? 'expire' : 'idle', inMs: Math.max(inMs, 0) };
  }

  /** What is due while enough is under way waits until something of it has ended. */
  #whenFree(inMs: number): number {
    return inMs <= 0 && this.#idleUnderWay >= idleAtOnce ? Infinity : inMs;
  }

  async #do(entry: Entry, due: Due): Promise<void> {
    const { events, log, end, hibernateIdle } = this.#options;
    const { row } = entry;
    const backoff = this.#backoffs.get(entry) ?? new Backoff();
    this.#backoffs.set(entry, backoff);
    const again = backoff.failures > 0;
    if (due === 'expire') {
      log('sandbox expired', { sandbox: row.id });
      events.emit(row, 'expired');
    } else if (due === 'idle' && !again) {
      const idleSeconds = Math.round(entry.activity.idleMs / 1000);
      const payload = { action: row.idleAction, idle_seconds: idleSeconds };
      log('sandbox idle', { sandbox: row.id, ...payload });
      events.emit(row, 'idle', payload);
    }
    try {
      await (due === 'idle' && row.idleAction === 'hibernate' ? hibernateIdle(entry) : end(entry));
      backoff.succeeded();
    } catch (error) {
      backoff.failed();
      log('deadline of a sandbox not kept', {
        sandbox: row.id,
        due,
        error: String(error),
        again_in_ms: Math.round(backoff.waitMs),
      });
    }
  }
}

/** While something is done to a sandbox one looks again after so long, in milliseconds. */
const busyMs = 1_000;

/**
 * Milliseconds until a sandbox is idle for its timeout. One that is in use can be so after the whole
 * of it at the earliest: then one looks again.
 */
function idleInMs({ row, activity, turns }: Entry): number {
  if (!mayIdle(row)) return Infinity;
  const leftMs = row.idleTimeoutSeconds * 1000 - activity.idleMs;
  return turns.busy ? Math.max(leftMs, busyMs) : leftMs;
}

const mayIdle = ({ status, pooled, idleTimeoutSeconds }: SandboxRow): boolean =>
  status === 'running' && !pooled && idleTimeoutSeconds > 0;
