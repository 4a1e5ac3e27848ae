import { type Isolation, type PoolObject, poolSchema } from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';

export interface PoolOptions extends SignalOptions {
  /** @default the strongest that works on the daemon's machine */
  isolation?: Isolation | undefined;
}

/** Sandboxes that are made ahead, so that a create need not wait; for administrators. */
export class Pools {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list({ signal }: SignalOptions = {}): Promise<PoolObject[]> {
    return this.#transport.json({ method: 'GET', path: '/v1/pools', signal }, poolSchema.array());
  }

  /** @throws NotFoundError */
  get(template: string, { isolation, signal }: PoolOptions = {}): Promise<PoolObject> {
    const query = { isolation };
    return this.#transport.json(
      { method: 'GET', path: poolPath(template), query, signal },
      poolSchema,
    );
  }

  /** Keeps `size` sandboxes ready; they are made in the background. 0 drains the pool. */
  set(
    template: string,
    size: number,
    { isolation, signal }: PoolOptions = {},
  ): Promise<PoolObject> {
    const json = { size, isolation };
    return this.#transport.json(
      { method: 'PUT', path: poolPath(template), json, signal },
      poolSchema,
    );
  }

  /** Ends the pool and the sandboxes that wait in it. @throws NotFoundError */
  async delete(template: string, { isolation, signal }: PoolOptions = {}): Promise<void> {
    const query = { isolation };
    await this.#transport.drain({ method: 'DELETE', path: poolPath(template), query, signal });
  }
}

const poolPath = (template: string) => `/v1/pools/${encodeURIComponent(template)}`;
