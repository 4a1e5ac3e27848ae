import { EventEmitter } from 'node:events';
import type { EventType, SandboxEvent } from '@sandport/protocol';
import type { EventRow, EventTable, SandboxRow } from '@sandport/state';

/** What happens to sandboxes: kept in the state file, and told to who listens. */
export class Events {
  readonly #table: EventTable;
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  constructor(table: EventTable) {
    this.#table = table;
  }

  emit(
    row: Pick<SandboxRow, 'id' | 'namespace'>,
    type: EventType,
    payload: Readonly<Record<string, unknown>> = {},
  ): void {
    const { id: sandbox, namespace } = row;
    this.#emitter.emit(
      'event',
      this.#table.insert({ sandbox, namespace, at: new Date(), type, payload }),
    );
  }

  /** Calls `listener` with what happens from now on, until the result is disposed of. */
  listen(listener: (event: EventRow) => void): Disposable {
    this.#emitter.on('event', listener);
    return { [Symbol.dispose]: () => void this.#emitter.off('event', listener) };
  }
}

/** An event as clients see it. */
export const eventObject = ({ id, at, sandbox, type, payload }: EventRow): SandboxEvent => ({
  id,
  time: at.toISOString(),
  sandbox_id: sandbox,
  type,
  payload: { ...payload },
});
