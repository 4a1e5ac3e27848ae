import { type VolumeObject, volumeSchema } from '@sandport/protocol';
import type { Transport } from '../http/transport.ts';

export interface NamespaceOptions {
  /** @default 'default' */
  namespace?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Named storage that outlives sandboxes. A volume is also made by the first sandbox that names it. */
export class Volumes {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list({ namespace, signal }: NamespaceOptions = {}): Promise<VolumeObject[]> {
    return this.#transport.json(
      { method: 'GET', path: '/v1/volumes', query: { namespace }, signal },
      volumeSchema.array(),
    );
  }

  create(name: string, { namespace, signal }: NamespaceOptions = {}): Promise<VolumeObject> {
    return this.#transport.json(
      { method: 'POST', path: '/v1/volumes', json: { name, namespace }, signal },
      volumeSchema,
    );
  }

  /** Deletes a volume and what is in it. @throws ConflictError while a sandbox mounts it */
  async delete(name: string, { namespace, signal }: NamespaceOptions = {}): Promise<void> {
    await this.#transport.drain({
      method: 'DELETE',
      path: `/v1/volumes/${encodeURIComponent(name)}`,
      query: { namespace },
      signal,
    });
  }
}
