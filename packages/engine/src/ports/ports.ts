import { setTimeout as sleep } from 'node:timers/promises';
import type { PortConnection } from '@sandport/driver';
import {
  type CreatePreviewToken,
  type ExposePort,
  maxExposedPorts,
  type PortObject,
  type PortVisibility,
  type SandboxId,
  SandportFault,
} from '@sandport/protocol';
import type { PortRow, PortTable } from '@sandport/state';
import type { CommandOptions, Commands } from '../commands/commands.ts';
import type { Keys } from '../keys.ts';
import type { Principal } from '../principal.ts';
import { hasProcesses } from '../sandboxes/entry.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import { invalidState } from '../sandboxes/to-object.ts';
import { ConnectionCounts } from './connection-counts.ts';
import { listeningPorts } from './listening-ports.ts';
import { isPreviewToken, openPreviewToken, refused, signPreviewToken } from './preview-token.ts';

export interface PortsOptions {
  readonly table: PortTable;
  /** Signs links. */
  readonly secret: Buffer;
  readonly keys: Pick<Keys, 'principal'>;
  readonly sandboxes: Sandboxes;
  readonly commands: Pick<Commands, 'connect'>;
}

/** A port as it is told of; its addresses are the server's to add. */
export type KnownPort = Omit<PortObject, 'proxy_url' | 'preview_url'>;

/** What a signed link gives. */
export interface PreviewGrant {
  /** Whose link it is. */
  readonly principal: Principal;
  readonly sandbox: SandboxId;
  readonly port: number;
  /** Empty: all. */
  readonly paths: readonly string[];
  readonly expiresAt: Date;
}

const defaultLifetimeSeconds = 3_600;

/** After a wake, a server in the sandbox has so long until it is tried once more, in milliseconds. */
const startupMs = 1_000;

/** TCP ports of sandboxes: which ones have an address, signed links to them, and connections. */
export class Ports {
  readonly #options: PortsOptions;
  readonly #counts = new ConnectionCounts();

  constructor(options: PortsOptions) {
    this.#options = options;
  }

  /** Those that were exposed, and those on which the sandbox listens; does not wake it. */
  async list(principal: Principal, idOrName: string): Promise<KnownPort[]> {
    const { row, sandbox } = this.#options.sandboxes.find(principal, idOrName);
    const isRunning = row.status === 'running' && hasProcesses(sandbox);
    const listening = new Set(isRunning ? await listeningPorts(sandbox.commands) : []);
    const exposed = this.#options.table.ofSandbox(row.id);
    const known = new Set(exposed.map(({ port }) => port));
    return [
      ...exposed.map((each) => toObject(each, listening.has(each.port))),
      ...[...listening]
        .filter((port) => !known.has(port))
        .map((port): KnownPort => {
          return { port, listening: true, source: 'detected', visibility: 'private' };
        }),
    ].sort((a, b) => a.port - b.port);
  }

  /**
   * Gives a port an address of its own. Of one that was exposed, what is left out stays.
   * @throws SandportFault `limit_reached`, `invalid_state`
   */
  async expose(
    principal: Principal,
    idOrName: string,
    { port, ...request }: ExposePort,
  ): Promise<KnownPort> {
    const { table, sandboxes } = this.#options;
    const { row } = sandboxes.find(principal, idOrName);
    if (row.status === 'deleted') throw invalidState(row, 'its ports cannot be exposed');
    const there = table.ofSandbox(row.id);
    const before = there.find((each) => each.port === port);
    if (before === undefined && there.length >= maxExposedPorts)
      throw new SandportFault(
        'limit_reached',
        `The sandbox has exposed ${maxExposedPorts} ports already.`,
        { limit: maxExposedPorts, resource: 'ports' },
      );
    const { label = before?.label, visibility = before?.visibility ?? 'private' } = request;
    table.set({ sandbox: row.id, port, label, visibility });
    const found = (await this.list(principal, row.id)).find((each) => each.port === port);
    return found ?? toObject({ port, label, visibility }, false);
  }

  /** @throws SandportFault `port_not_exposed` */
  unexpose(principal: Principal, idOrName: string, port: number): void {
    const { table, sandboxes } = this.#options;
    const { row } = sandboxes.find(principal, idOrName);
    if (!table.delete(row.id, port))
      throw new SandportFault('port_not_exposed', `Port ${port} was not exposed.`, {
        sandbox: row.id,
        port,
      });
  }

  /** Who may use the address of a port; undefined: it has none. */
  visibility(sandbox: string, port: number): PortVisibility | undefined {
    const entry = this.#options.sandboxes.registry.byId(sandbox);
    if (entry === undefined || entry.row.pooled) return undefined;
    return this.#options.table.ofSandbox(entry.row.id).find((each) => each.port === port)
      ?.visibility;
  }

  /** Makes a link that needs no key, to a port whether it was exposed or not. */
  sign(
    principal: Principal,
    idOrName: string,
    { port, ttl_seconds: seconds = defaultLifetimeSeconds, paths = [] }: CreatePreviewToken,
  ): PreviewGrant & { readonly token: string } {
    const { secret, sandboxes } = this.#options;
    const sandbox = sandboxes.find(principal, idOrName).row.id;
    const expiresAt = new Date(Math.ceil(Date.now() / 1_000 + seconds) * 1_000);
    const claims = { sandbox, port, paths, key: principal.keyId, expiresAt };
    return { ...claims, principal, token: signPreviewToken(claims, secret) };
  }

  /** True for what was once a good link. */
  isToken(token: string): boolean {
    return isPreviewToken(token, this.#options.secret);
  }

  /**
   * What a link gives. It ends with its time, its sandbox, and the key that made it.
   * @throws SandportFault `preview_unauthorized`
   */
  open(token: string): PreviewGrant {
    const { secret, keys, sandboxes } = this.#options;
    const { key, sandbox, ...grant } = openPreviewToken(token, secret);
    const entry = sandboxes.registry.byId(sandbox);
    const maker = keys.principal(key);
    if (maker === undefined || entry === undefined || entry.row.status === 'deleted')
      throw refused('This link is no longer valid.');
    return { ...grant, sandbox, principal: maker };
  }

  /**
   * Connects to a port on the sandbox's loopback; wakes a hibernated sandbox, whose server gets a
   * moment to listen.
   * @throws SandportFault `sandbox_not_found`, `invalid_state`, `port_not_open`, `limit_reached`
   */
  async connect(
    principal: Principal,
    idOrName: string,
    port: number,
    options: CommandOptions = {},
  ): Promise<PortConnection> {
    const { sandboxes, commands } = this.#options;
    const { id } = sandboxes.find(principal, idOrName).row;
    const release = this.#counts.take(id);
    let woken = false;
    const connect = () =>
      commands.connect(principal, id, port, {
        ...options,
        onWake: (waking) => {
          woken = true;
          options.onWake?.(waking);
        },
      });
    try {
      const connection = await connect().catch(async (error: unknown) => {
        const isShut = error instanceof SandportFault && error.code === 'port_not_open';
        if (!woken || !isShut) throw error;
        await sleep(startupMs, undefined, options.signal && { signal: options.signal });
        return connect();
      });
      if (connection.closed) release();
      else connection.once('close', release);
      return connection;
    } catch (error) {
      release();
      throw error;
    }
  }
}

const toObject = (
  { port, label, visibility }: Omit<PortRow, 'sandbox'>,
  listening: boolean,
): KnownPort => ({
  port,
  ...(label === undefined ? {} : { label }),
  listening,
  source: 'exposed',
  visibility,
});
