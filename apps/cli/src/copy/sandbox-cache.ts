import { type Client, Sandbox } from 'sandport';

/** Finds each sandbox of a command line once. */
export class SandboxCache {
  /** The daemon that has them. */
  readonly client: Client;
  readonly #signal: AbortSignal;
  readonly #found = new Map<string, Promise<Sandbox>>();

  constructor(client: Client, signal: AbortSignal) {
    this.client = client;
    this.#signal = signal;
  }

  /** @throws NotFoundError */
  get(nameOrId: string): Promise<Sandbox> {
    let found = this.#found.get(nameOrId);
    if (found === undefined) {
      found = Sandbox.get(nameOrId, this.client, { signal: this.#signal });
      this.#found.set(nameOrId, found);
    }
    return found;
  }
}
