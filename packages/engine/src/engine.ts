import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from '@sandport/driver';
import type { State } from '@sandport/state';
import { Code } from './code/code.ts';
import { Commands } from './commands/commands.ts';
import { KeptCommands } from './commands/kept/kept-commands.ts';
import { Watcher } from './commands/kept/watcher.ts';
import { Events } from './events.ts';
import { Files } from './files/files.ts';
import { Forks } from './forks/forks.ts';
import { Keys } from './keys.ts';
import { Metrics } from './metrics/metrics.ts';
import { NamespaceNetworks } from './networks/namespace-networks.ts';
import { type PoolSetting, Pools } from './pools/pools.ts';
import { Ports } from './ports/ports.ts';
import { Quotas } from './quotas/quotas.ts';
import type { RecoveryReport } from './sandboxes/recovery.ts';
import { Sandboxes } from './sandboxes/sandboxes.ts';
import { Links } from './links/links.ts';
import { HeldBytes } from './memory/held-bytes.ts';
import { Snapshots } from './snapshots/snapshots.ts';
import { SshKeys } from './ssh-keys/ssh-keys.ts';
import { Uploads } from './uploads/uploads.ts';
import { defaultAliases, Templates } from './templates.ts';
import { Volumes } from './volumes.ts';

export interface EngineOptions {
  readonly driver: Driver;
  readonly state: State;
  /** Alias → template name, beside {@link defaultAliases} and before them. @default {} */
  readonly aliases?: Readonly<Record<string, string>>;
  /**
   * Directory for image archives that clients send, of this engine alone.
   * @default one of this process among the machine's temporary files
   */
  readonly archivesDir?: string;
  /** Most sandboxes at one time. @default 1000 */
  readonly maxSandboxes?: number;
  /** Most memory that pools may promise together. @default no limit */
  readonly poolMemoryBytes?: number;
  /**
   * For how long after the start members of pools stay that nobody wants, in milliseconds: who
   * reserves members starts after the engine. @default 0
   */
  readonly poolGraceMs?: number;
  /** Sizes of pools that are set at each start; others stay as they were. @default [] */
  readonly pools?: readonly PoolSetting[];
  /** @default nothing is logged */
  readonly log?: (message: string, fields: Record<string, unknown>) => void;
}

/** What Sandport does, without the wire: every dialect calls these. */
export class Engine implements Disposable {
  readonly keys: Keys;
  readonly sshKeys: SshKeys;
  readonly templates: Templates;
  readonly volumes: Volumes;
  readonly sandboxes: Sandboxes;
  readonly files: Files;
  readonly commands: Commands;
  /** Commands that go on without their client. */
  readonly kept: KeptCommands;
  readonly code: Code;
  readonly uploads: Uploads;
  readonly links: Links;
  readonly ports: Ports;
  readonly events: Events;
  readonly forks: Forks;
  readonly snapshots: Snapshots;
  readonly quotas: Quotas;
  /** What networks namespaces have by default, and at most. */
  readonly networks: NamespaceNetworks;
  readonly pools: Pools;
  readonly metrics: Metrics;
  /** What requests hold in memory. */
  readonly held = new HeldBytes();
  readonly #options: EngineOptions;
  readonly #watcher: Watcher;

  constructor(options: EngineOptions) {
    const { driver, state } = options;
    this.#options = options;
    this.events = new Events(state.events, () => this.sandboxes.registry);
    this.keys = new Keys(state.keys);
    this.sshKeys = new SshKeys({ table: state.sshKeys, keys: this.keys });
    this.templates = new Templates({
      store: driver.templates,
      aliases: { ...defaultAliases, ...options.aliases },
      archivesDir: options.archivesDir ?? join(tmpdir(), `sandport-archives-${process.pid}`),
      sandbox: (principal, idOrName) => {
        const { row, turns, abort } = this.sandboxes.find(principal, idOrName);
        return { id: row.id, signal: abort.signal, hold: (work) => turns.take(work) };
      },
      isPooled: (template) => this.pools.keeps(template),
    });
    this.quotas = new Quotas({
      table: state.quotas,
      volumes: state.volumes,
      entries: () => this.sandboxes.registry.all(),
      reserved: (namespace) => this.pools.reservedIn(namespace),
    });
    const { quotas } = this;
    this.networks = new NamespaceNetworks({
      table: state.namespaceNetworks,
      entries: () => this.sandboxes.registry.all(),
      change: (entry, network) => this.sandboxes.changeNetwork(entry, network),
    });
    this.#watcher = new Watcher({
      entries: () => this.sandboxes.registry.all(),
      emit: (row, type, payload) => this.events.emit(row, type, payload),
      log: options.log ?? (() => undefined),
    });
    this.sandboxes = new Sandboxes({
      driver,
      table: state.sandboxes,
      snapshotTable: state.snapshots,
      events: this.events,
      templates: this.templates,
      volumes: () => this.volumes,
      snapshots: () => this.snapshots,
      quotas,
      networks: this.networks,
      pools: () => this.pools,
      maxSandboxes: options.maxSandboxes ?? 1000,
      log: options.log ?? (() => undefined),
      leaving: (id, files) => this.uploads.discardAll(id, files),
      onProcesses: (entry) => this.#watcher.sync(entry),
    });
    this.volumes = new Volumes({
      table: state.volumes,
      store: driver.volumes,
      quotas,
      users: () => this.sandboxes.registry.volumeUsers(),
    });
    this.files = new Files(this.sandboxes);
    this.commands = new Commands(this.sandboxes, this.held);
    this.code = new Code(this.sandboxes, this.#watcher);
    this.kept = new KeptCommands(this.sandboxes, this.#watcher);
    const { sandboxes, files, events } = this;
    const log = options.log ?? (() => undefined);
    this.uploads = new Uploads({ table: state.uploads, sandboxes, files, log });
    this.links = new Links({ table: state.links, sandboxes, files });
    this.ports = new Ports({
      table: state.ports,
      secret: state.secrets.ensure('previews'),
      keys: this.keys,
      sandboxes,
      commands: this.commands,
    });
    const { uploads } = this;
    const { registry, states } = sandboxes;
    const copying = { driver, registry, states, events, uploads, log };
    this.forks = new Forks({ ...copying, end: (entry) => sandboxes.end(entry) });
    this.snapshots = new Snapshots({ ...copying, quotas, table: state.snapshots });
    driver.onNetworkDenied?.(({ sandbox, leftOut, ...denial }) => {
      const entry = registry.byId(sandbox);
      const payload = leftOut === 0 ? denial : { ...denial, left_out: leftOut };
      if (entry !== undefined) events.emit(entry.row, 'network_denied', payload);
    });
    this.metrics = new Metrics({ driver, registry, log });
    this.pools = new Pools({
      driver,
      table: state.pools,
      templates: this.templates,
      registry,
      end: (entry) => sandboxes.end(entry),
      memoryBytes: options.poolMemoryBytes ?? Number.POSITIVE_INFINITY,
      graceMs: options.poolGraceMs ?? 0,
      room: (namespace) => quotas.room(namespace),
      defaultNetwork: (namespace) => this.networks.defaultOf(namespace),
      log,
    });
  }

  /** Takes over what an earlier daemon left. To be called once, before anything else. */
  async recover(): Promise<RecoveryReport> {
    const { log = () => undefined } = this.#options;
    this.events.start();
    const report = await this.sandboxes.recover();
    await this.networks
      .recover()
      .catch((error: unknown) => log('a bound of networks not kept', { error: String(error) }));
    this.pools.start(this.#options.pools);
    this.metrics.start();
    this.#watcher.start();
    this.uploads.start();
    await this.templates.archives.clear();
    return report;
  }

  /**
   * Begins nothing more by itself, and lets what is being done to sandboxes end, so that nothing is
   * left half made or half removed. To be called before it is disposed of.
   * @param timeoutMs after which it resolves anyway; recovery deals with what is left then
   */
  async settle(timeoutMs: number): Promise<void> {
    this.pools[Symbol.dispose]();
    this.sandboxes[Symbol.dispose]();
    const entries = this.sandboxes.registry.all();
    for (const { row, abort } of entries)
      if (row.pooled && row.status === 'creating') abort.abort();
    const ended = new AbortController();
    await Promise.race([
      Promise.all(entries.map(({ turns }) => turns.settled())),
      sleep(timeoutMs, undefined, { signal: ended.signal }).catch(() => undefined),
    ]);
    ended.abort();
  }

  /** Sandboxes keep running. */
  [Symbol.dispose](): void {
    this.metrics[Symbol.dispose]();
    this.#watcher[Symbol.dispose]();
    this.pools[Symbol.dispose]();
    this.templates.close();
    this.uploads[Symbol.dispose]();
    this.sandboxes[Symbol.dispose]();
    this.events[Symbol.dispose]();
  }
}
