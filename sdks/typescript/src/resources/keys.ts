import { type CreatedKey, createdKeySchema, type KeyObject, keySchema } from '@sandport/protocol';
import type { Transport } from '../http/transport.ts';

export interface CreateKeyOptions {
  /** Says what the key is for. */
  label?: string | undefined;
  /** Namespaces that the key may use. @default all, as an administrator */
  namespaces?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
}

/** API keys; for administrators. */
export class Keys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options: { signal?: AbortSignal | undefined } = {}): Promise<KeyObject[]> {
    return this.#transport.json({ method: 'GET', path: '/v1/keys', ...options }, keySchema.array());
  }

  /** Makes a key. Its `api_key` is shown this once. */
  create({ signal, ...body }: CreateKeyOptions = {}): Promise<CreatedKey> {
    return this.#transport.json(
      { method: 'POST', path: '/v1/keys', json: body, signal },
      createdKeySchema,
    );
  }

  async delete(id: string, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#transport.drain({
      method: 'DELETE',
      path: `/v1/keys/${encodeURIComponent(id)}`,
      ...options,
    });
  }
}
