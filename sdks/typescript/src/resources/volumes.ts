import { type VolumeObject, volumeSchema } from '@sandport/protocol';
import { Filesystem } from '../filesystem/filesystem.ts';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';

export interface NamespaceOptions extends SignalOptions {
  /** @default 'default' */
  namespace?: string | undefined;
}

export interface CreateVolumeOptions extends NamespaceOptions {
  /** Most MiB that it holds. @default no limit */
  sizeMb?: number | undefined;
}

/** Named storage that outlives sandboxes. Its files need no sandbox. */
export class Volume {
  /** Its files; `/` is its top directory. */
  readonly filesystem: Filesystem;
  readonly #transport: Transport;
  #info: VolumeObject;

  constructor(transport: Transport, info: VolumeObject) {
    this.#transport = transport;
    this.#info = info;
    const { name, namespace } = info;
    this.filesystem = new Filesystem(transport, { volume: name, namespace });
  }

  get name(): string {
    return this.#info.name;
  }

  get namespace(): string {
    return this.#info.namespace;
  }

  /** Same object as `filesystem`. */
  get files(): Filesystem {
    return this.filesystem;
  }

  /** Everything the API says about the volume, spelled as it does; see `refresh`. */
  get info(): VolumeObject {
    return this.#info;
  }

  /** Asks the daemon for the present state. @throws NotFoundError when the volume is gone */
  async refresh({ signal }: SignalOptions = {}): Promise<VolumeObject> {
    const { name, namespace } = this;
    this.#info = await fetchVolume(this.#transport, name, { namespace, signal });
    return this.#info;
  }

  /** Deletes it and what is in it. @throws ConflictError while a sandbox mounts it */
  async delete({ signal }: SignalOptions = {}): Promise<void> {
    const { name, namespace } = this;
    await new Volumes(this.#transport).delete(name, { namespace, signal });
  }
}

/** All volumes. A volume is also made by the first sandbox that names it. */
export class Volumes {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All volumes, or those of a namespace. */
  async list({ namespace, signal }: NamespaceOptions = {}): Promise<Volume[]> {
    const infos = await this.#transport.json(
      { method: 'GET', path: '/v1/volumes', query: { namespace }, signal },
      volumeSchema.array(),
    );
    return infos.map((info) => new Volume(this.#transport, info));
  }

  /** Makes a volume; no error when it is there with the same size. @throws ConflictError */
  async create(
    name: string,
    { namespace, sizeMb, signal }: CreateVolumeOptions = {},
  ): Promise<Volume> {
    const json = { name, namespace, size_mb: sizeMb };
    const info = await this.#transport.json(
      { method: 'POST', path: '/v1/volumes', json, signal },
      volumeSchema,
    );
    return new Volume(this.#transport, info);
  }

  /** @throws NotFoundError */
  async get(name: string, options: NamespaceOptions = {}): Promise<Volume> {
    return new Volume(this.#transport, await fetchVolume(this.#transport, name, options));
  }

  /** Deletes a volume and what is in it. @throws ConflictError while a sandbox mounts it */
  async delete(name: string, { namespace, signal }: NamespaceOptions = {}): Promise<void> {
    const query = { namespace };
    await this.#transport.drain({ method: 'DELETE', path: volumePath(name), query, signal });
  }
}

const volumePath = (name: string) => `/v1/volumes/${encodeURIComponent(name)}`;

const fetchVolume = (
  transport: Transport,
  name: string,
  { namespace, signal }: NamespaceOptions,
) => {
  const query = { namespace };
  return transport.json({ method: 'GET', path: volumePath(name), query, signal }, volumeSchema);
};
