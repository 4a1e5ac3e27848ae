import { type Client, type Filesystem, Sandbox } from 'sandport';

/** What holds files: a sandbox or a volume. */
export interface Holder {
  /** The same for two names of the same one. */
  readonly id: string;
  readonly filesystem: Filesystem;
  /** Its archive route in the API. */
  readonly archive: {
    readonly path: string;
    readonly query: Readonly<Record<string, string>>;
  };
}

/** Finds each sandbox and each volume of a command line once. */
export class Holders {
  /** The daemon that has them. */
  readonly client: Client;
  readonly #signal: AbortSignal;
  readonly #found = new Map<string, Promise<Holder>>();

  constructor(client: Client, signal: AbortSignal) {
    this.client = client;
    this.#signal = signal;
  }

  /** @param text as in `RemotePlace.holder` @throws NotFoundError */
  get(text: string): Promise<Holder> {
    let found = this.#found.get(text);
    if (found === undefined) {
      const [, namespace, name] = /^volume:(?:([^/]+)\/)?(.+)$/.exec(text) ?? [];
      found = name === undefined ? this.#sandbox(text) : this.#volume(name, namespace);
      this.#found.set(text, found);
    }
    return found;
  }

  async #sandbox(nameOrId: string): Promise<Holder> {
    const { id, filesystem } = await Sandbox.get(nameOrId, this.client, { signal: this.#signal });
    const path = `/v1/sandboxes/${encodeURIComponent(id)}/fs/archive`;
    return { id, filesystem, archive: { path, query: {} } };
  }

  async #volume(name: string, given: string | undefined): Promise<Holder> {
    const where = { namespace: given, signal: this.#signal };
    const { namespace, filesystem } = await this.client.volumes.get(name, where);
    const path = `/v1/volumes/${encodeURIComponent(name)}/fs/archive`;
    return {
      id: `volume:${namespace}/${name}`,
      filesystem,
      archive: { path, query: { namespace } },
    };
  }
}
