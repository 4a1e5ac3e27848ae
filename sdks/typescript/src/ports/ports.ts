import type { Duplex } from 'node:stream';
import { type PortObject, portSchema, previewTokenSchema } from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';
import { sandboxPath } from '../sandbox/sandbox-api.ts';
import type {
  ExposePortOptions,
  SandboxPort,
  SignedPreview,
  SignPortOptions,
} from './port-options.ts';
import { PortStream } from './port-stream.ts';

/** What listens in a sandbox, and the ways to it. */
export class Ports {
  readonly #transport: Transport;
  readonly #path: string;

  constructor(transport: Transport, id: string) {
    this.#transport = transport;
    this.#path = sandboxPath(id);
  }

  /** Ports that were exposed, and those on which the sandbox listens; does not wake it. */
  async list({ signal }: SignalOptions = {}): Promise<SandboxPort[]> {
    const path = `${this.#path}/ports`;
    const ports = await this.#transport.json({ method: 'GET', path, signal }, portSchema.array());
    return ports.map(portOf);
  }

  /** Gives a port an address for browsers, or changes who may use it. */
  async expose(
    port: number,
    { label, visibility, signal }: ExposePortOptions = {},
  ): Promise<SandboxPort> {
    const path = `${this.#path}/ports`;
    const json = { port, label, visibility };
    return portOf(await this.#transport.json({ method: 'POST', path, json, signal }, portSchema));
  }

  /** Takes the address away; signed links stay good until they expire. @throws NotFoundError */
  async unexpose(port: number, { signal }: SignalOptions = {}): Promise<void> {
    await this.#transport.drain({ method: 'DELETE', path: `${this.#path}/ports/${port}`, signal });
  }

  /** Makes a link that works without a key, whether the port is exposed or not. */
  async sign(
    port: number,
    { ttlSeconds, paths, signal }: SignPortOptions = {},
  ): Promise<SignedPreview> {
    const path = `${this.#path}/preview-token`;
    const json = { port, ttl_seconds: ttlSeconds, paths };
    const made = await this.#transport.json(
      { method: 'POST', path, json, signal },
      previewTokenSchema,
    );
    return {
      previewUrl: made.preview_url,
      url: made.url,
      token: made.token,
      port: made.port,
      paths: made.paths,
      expiresAt: new Date(made.expires_at),
    };
  }

  /**
   * Opens a TCP connection to a port, for any protocol; wakes a hibernated sandbox.
   * @throws UnavailableError when nothing listens there
   */
  async connect(port: number, { signal }: SignalOptions = {}): Promise<Duplex> {
    const path = `${this.#path}/ports/${port}/tcp`;
    return new PortStream(await this.#transport.socket({ path, signal }));
  }
}

function portOf({
  proxy_url: proxyUrl,
  preview_url: previewUrl,
  ...port
}: PortObject): SandboxPort {
  return { ...port, proxyUrl, previewUrl };
}
