import { type SnapshotObject, snapshotSchema } from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';

export interface SnapshotFilter extends SignalOptions {
  namespace?: string | undefined;
  /** Id of the sandbox that they are of. */
  sandbox?: string | undefined;
}

/** Frozen states of sandboxes; `sandbox.snapshot()` makes one, and sandboxes begin with it. */
export class Snapshots {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list({ namespace, sandbox, signal }: SnapshotFilter = {}): Promise<SnapshotObject[]> {
    const query = { namespace, sandbox };
    return this.#transport.json(
      { method: 'GET', path: '/v1/snapshots', query, signal },
      snapshotSchema.array(),
    );
  }

  /** @throws NotFoundError */
  get(idOrName: string, { signal }: SignalOptions = {}): Promise<SnapshotObject> {
    return this.#transport.json(
      { method: 'GET', path: snapshotPath(idOrName), signal },
      snapshotSchema,
    );
  }

  /** Deletes a snapshot; sandboxes made from it stay. @throws NotFoundError */
  async delete(idOrName: string, { signal }: SignalOptions = {}): Promise<void> {
    await this.#transport.drain({ method: 'DELETE', path: snapshotPath(idOrName), signal });
  }
}

const snapshotPath = (idOrName: string) => `/v1/snapshots/${encodeURIComponent(idOrName)}`;
