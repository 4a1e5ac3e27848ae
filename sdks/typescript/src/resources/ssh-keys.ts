import { type SshKeyObject, sshKeySchema } from '@sandport/protocol';
import type { Transport } from '../http/transport.ts';

export interface CreateSshKeyOptions {
  /** Says whose it is. @default the comment of the key */
  label?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Public keys that log in to sandboxes over SSH, as the API key that registered them. */
export class SshKeys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Those of this API key; for an administrator those of all. */
  list(options: { signal?: AbortSignal | undefined } = {}): Promise<SshKeyObject[]> {
    const request = { method: 'GET', path: '/v1/ssh-keys', ...options } as const;
    return this.#transport.json(request, sshKeySchema.array());
  }

  /**
   * Registers a public key; one that is there already stays as it is.
   * @param publicKey a line as in `~/.ssh/id_ed25519.pub`
   */
  create(publicKey: string, { label, signal }: CreateSshKeyOptions = {}): Promise<SshKeyObject> {
    const json = { public_key: publicKey, label };
    const request = { method: 'POST', path: '/v1/ssh-keys', json, signal } as const;
    return this.#transport.json(request, sshKeySchema);
  }

  /** Connections that are open end within seconds. */
  async delete(id: string, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const path = `/v1/ssh-keys/${encodeURIComponent(id)}`;
    await this.#transport.drain({ method: 'DELETE', path, ...options });
  }
}
