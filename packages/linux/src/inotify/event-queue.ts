import type { DirectoryEvent, ResyncReason } from './watch-event.ts';

/**
 * What may wait for its reader: so many events, with so many UTF-16 units of paths. A test sets
 * less.
 */
export const eventQueueLimits = { events: 10_000, pathUnits: 4 * 1024 * 1024 };

/**
 * Events between a watcher and its one reader. When too many wait, they all become one `resync`.
 */
export class EventQueue implements AsyncIterable<DirectoryEvent> {
  #waiting: DirectoryEvent[] = [];
  #next = 0;
  #pathUnits = 0;
  #closed = false;
  #wake: (() => void) | undefined;

  push(event: DirectoryEvent): void {
    if (this.#closed) return;
    const isFull =
      this.#waiting.length - this.#next >= eventQueueLimits.events ||
      this.#pathUnits + pathUnitsOf(event) > eventQueueLimits.pathUnits;
    if (isFull) this.replaceAll('slow_client');
    this.#waiting.push(event);
    this.#pathUnits += pathUnitsOf(event);
    this.#wake?.();
  }

  /** The reader has to look at everything anyway: what waits is nothing new to it then. */
  replaceAll(reason: ResyncReason): void {
    if (this.#closed) return;
    this.#waiting = [{ kind: 'resync', reason }];
    this.#next = 0;
    this.#pathUnits = 0;
    this.#wake?.();
  }

  /** Nothing comes after what waits. Idempotent. */
  end(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Nothing comes any more, not even what waits. */
  drop(): void {
    this.#waiting = [];
    this.#next = 0;
    this.#pathUnits = 0;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DirectoryEvent> {
    for (;;) {
      const event = this.#take();
      if (event !== undefined) {
        yield event;
      } else if (this.#closed) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }

  #take(): DirectoryEvent | undefined {
    const event = this.#waiting[this.#next];
    if (event === undefined) return undefined;
    this.#next++;
    this.#pathUnits -= pathUnitsOf(event);
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    return event;
  }
}

function pathUnitsOf(event: DirectoryEvent): number {
  if (event.kind === 'resync' || event.kind === 'end') return 0;
  return event.path.length + (event.kind === 'renamed' ? event.from.length : 0);
}
