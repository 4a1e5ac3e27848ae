import type { Driver, TemplateInfo } from '@sandport/driver';
import {
  type Isolation,
  type Namespace,
  type Network,
  type PoolObject,
  SandportFault,
  type SetPool,
  type TemplateName,
  templateNameSchema,
} from '@sandport/protocol';
import type { PoolTable, SandboxRow } from '@sandport/state';
import { type Principal, requireAdministrator } from '../principal.ts';
import { type Entry, specOf } from '../sandboxes/entry.ts';
import { chooseIsolation } from '../sandboxes/new-row.ts';
import type { Templates } from '../templates.ts';
import { Keeper, type KeeperOptions } from './keeper.ts';
import { type Deviation, deviationFrom, fits, memberDeviation } from './member-row.ts';
import { Pool, poolKey } from './pool.ts';
import { refuseBeyondMemory } from './refuse-beyond-memory.ts';

/** A pool that the daemon is configured with. */
export interface PoolSetting {
  /** Name or alias. */
  readonly template: string;
  /** Left out: the strongest that works. */
  readonly isolation?: Isolation | undefined;
  readonly size: number;
}

/** Members of a pool that somebody beside the administrator wants ready. */
export interface PoolWish {
  /** Name or alias. */
  readonly template: string;
  /** Left out: the strongest that works. */
  readonly isolation?: Isolation | undefined;
  /** Limit of their disks. Left out: the template's. */
  readonly diskMb?: number | undefined;
  /**
   * Whether they have an interface, which lets nothing pass before they are taken. Left out: as the
   * template says, or the namespace.
   */
  readonly networked?: boolean | undefined;
  readonly size: number;
  /** They count against the quota of this namespace. */
  readonly namespace: Namespace;
}

/** What has become of a wish. */
export interface Reserved {
  /** How many are kept; fewer than wished for where the namespace has a quota. */
  readonly size: number;
  readonly ready: number;
  /** Why there are not as many as wished for. */
  readonly error?: string;
}

interface Reservation {
  readonly pool: Pool;
  readonly namespace: Namespace;
  readonly size: number;
  readonly error: string | undefined;
}

export interface PoolsOptions extends Omit<KeeperOptions, 'store' | 'changed'> {
  readonly driver: Pick<Driver, 'create' | 'isolations' | 'liveNetworkIsolations' | 'templates'>;
  readonly table: PoolTable;
  readonly templates: Templates;
  /** The network of sandboxes of a namespace for which nobody names one. */
  readonly defaultNetwork: (namespace: Namespace) => Network | undefined;
  /** How many more sandboxes a namespace may have. */
  readonly room: (namespace: Namespace) => number;
}

/** Sandboxes made ahead, so that whoever asks for one need not wait for its start. */
export class Pools implements Disposable {
  readonly #options: PoolsOptions;
  readonly #keeper: Keeper;
  readonly #reservations = new Map<string, Reservation>();
  readonly #listeners = new Set<() => void>();

  constructor(options: PoolsOptions) {
    this.#options = options;
    const changed = () => {
      for (const listener of this.#listeners) listener();
    };
    this.#keeper = new Keeper({ ...options, store: options.driver.templates, changed });
  }

  /**
   * Begins to keep the pools of the state file, with the members that an earlier daemon made.
   * @param settings sizes that are set at each start
   */
  start(settings: readonly PoolSetting[] = []): void {
    const { table, driver, templates, log } = this.#options;
    for (const { template, isolation, size } of settings)
      try {
        const name = templateNameSchema.parse(templates.nameOf(template));
        table.set({ template: name, isolation: chooseIsolation(isolation, driver), size });
      } catch (error) {
        log('pool not set up', { template, isolation, error: String(error) });
      }
    for (const { template, isolation, size } of table.all())
      this.#put(new Pool(templateNameSchema.parse(template), isolation, size));
    this.#keeper.start();
  }

  /** @throws SandportFault `forbidden` */
  list(principal: Principal): PoolObject[] {
    requireAdministrator(principal);
    return [...this.#keeper.pools.values()]
      .filter(({ deviation }) => isNone(deviation))
      .map((pool) => pool.toObject());
  }

  /** @throws SandportFault `pool_not_found`, `forbidden` */
  get(principal: Principal, template: string, isolation?: Isolation): PoolObject {
    return this.#find(principal, template, isolation).toObject();
  }

  /**
   * Makes a pool or changes its size. It is filled, or drained, afterwards.
   * @throws SandportFault `unknown_template`, `template_not_built`, `isolation_unavailable`,
   * `limit_reached` when the machine has not the memory for it, `forbidden`
   */
  async set(
    principal: Principal,
    template: string,
    { size, isolation: wanted }: SetPool,
  ): Promise<PoolObject> {
    requireAdministrator(principal);
    const { driver, table, templates, memoryBytes } = this.#options;
    const isolation = chooseIsolation(wanted, driver);
    const { name } = await templates.resolve(template);
    const all = await driver.templates.list();
    const before = this.#keeper.pools.get(poolKey(name, isolation));
    const others = [...this.#keeper.pools.values()].filter((pool) => pool !== before);
    const reserved = (before?.size ?? 0) - (before?.configured ?? 0);
    if (size > (before?.configured ?? 0))
      refuseBeyondMemory([...others, { template: name, size: size + reserved }], all, memoryBytes);
    table.set({ template: name, isolation, size });
    const pool = before ?? this.#put(new Pool(name, isolation, size));
    pool.configured = size;
    pool.backoff.succeeded();
    this.#keeper.look();
    return pool.toObject();
  }

  /** Ends a pool; its members go afterwards. @throws SandportFault `pool_not_found`, `forbidden` */
  remove(principal: Principal, template: string, isolation?: Isolation): void {
    const pool = this.#find(principal, template, isolation);
    this.#options.table.delete(pool.template, pool.isolation);
    pool.configured = 0;
    this.#forgetUnused(pool);
    this.#keeper.look();
  }

  /**
   * Keeps members ready for somebody, beside those that are configured, until {@link release}. It is
   * not remembered over a restart. Another wish of the same owner takes the place of this one.
   * @throws SandportFault `isolation_unavailable`, `unknown_template`
   */
  async reserve(owner: string, wish: PoolWish): Promise<void> {
    const { driver, templates, room } = this.#options;
    const isolation = chooseIsolation(wish.isolation, driver);
    const template = await templates.resolve(wish.template);
    const { diskMb, namespace } = wish;
    const { network = this.#options.defaultNetwork(namespace) } = template;
    const deviation = deviationFrom(template, {
      diskBytes: diskMb === undefined ? undefined : diskMb * 2 ** 20,
      networked: wish.networked ?? (network !== undefined && network.egress !== 'none'),
    });
    const key = poolKey(template.name, isolation, deviation);
    const before = this.#reservations.get(owner);
    if (before !== undefined && before.pool.key !== key) this.release(owner);
    this.#reservations.delete(owner);
    const size = Math.max(0, Math.min(wish.size, room(namespace)));
    const error =
      size < wish.size
        ? `The quota of the namespace "${namespace}" has room for ${size} of ${wish.size} members.`
        : undefined;
    const known = this.#keeper.pools.get(key);
    const pool = known ?? this.#put(new Pool(template.name, isolation, 0, deviation));
    if (known === undefined) this.#keeper.adopt(pool);
    this.#reservations.set(owner, { pool, namespace, size, error });
    if (pool.reservations.get(owner) === size) return;
    pool.reservations.set(owner, size);
    pool.backoff.succeeded();
    this.#keeper.look();
  }

  /** No error for an owner without a wish. */
  release(owner: string): void {
    const pool = this.#reservations.get(owner)?.pool;
    this.#reservations.delete(owner);
    if (pool === undefined) return;
    pool.reservations.delete(owner);
    this.#forgetUnused(pool);
    this.#keeper.look();
  }

  /** What is ready is shared out in the order of the wishes, behind what is configured. */
  reserved(owner: string): Reserved | undefined {
    const reservation = this.#reservations.get(owner);
    if (reservation === undefined) return undefined;
    const { pool, size, error = pool.error } = reservation;
    let left = pool.ready.size - pool.configured;
    for (const [each, wanted] of pool.reservations) {
      if (each === owner) break;
      left -= wanted;
    }
    const ready = Math.max(0, Math.min(size, left));
    return { size, ready, ...(error === undefined ? {} : { error }) };
  }

  /** How many members are kept for a namespace. */
  reservedIn(namespace: Namespace): number {
    let reserved = 0;
    for (const each of this.#reservations.values())
      if (each.namespace === namespace) reserved += each.size;
    return reserved;
  }

  /** How many are ready that a request for a sandbox like this could take. */
  readyFor(wish: Omit<PoolWish, 'size' | 'namespace'>): number {
    const { driver, templates } = this.#options;
    const isolation = wish.isolation ?? driver.isolations[0];
    const name = templates.nameOf(wish.template);
    const wished = wish.diskMb === undefined ? undefined : wish.diskMb * 2 ** 20;
    const ready = [...this.#keeper.pools.values()]
      .filter((pool) => pool.template === name && pool.isolation === isolation)
      .filter(({ deviation: { diskBytes = wished } }) => diskBytes === wished)
      .map((pool) => [...pool.ready].filter(({ row }) => this.#mayGet(row, wish.networked)).length);
    return Math.max(0, ...ready);
  }

  /** @param listener called when members have come or gone; it must not throw */
  subscribe(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Whether sandboxes of the template are made ahead. */
  keeps(template: TemplateName): boolean {
    return [...this.#keeper.pools.values()].some((pool) => pool.template === template);
  }

  /** The sandbox that can be the one that was asked for, if there is one; it is the caller's then. */
  take(asked: SandboxRow, template: TemplateInfo): Entry | undefined {
    if (!fits(asked, template)) return undefined;
    const { limits, network } = specOf(asked);
    const pools = (network === undefined ? [false] : [true, false])
      .filter((networked) => networked || network === undefined || this.#isLive(asked))
      .map((networked) => deviationFrom(template, { diskBytes: limits.diskBytes, networked }))
      .map((deviation) => poolKey(asked.template, asked.isolation, deviation))
      .map((key) => this.#keeper.pools.get(key))
      .filter((pool) => pool !== undefined && pool.size > 0);
    const pool = pools.find((each) => (each?.ready.size ?? 0) > 0) ?? pools[0];
    return pool && this.#keeper.take(pool, template);
  }

  /** Whether a sandbox of this isolation gets an interface while it runs. */
  #isLive({ isolation }: SandboxRow): boolean {
    return this.#options.driver.liveNetworkIsolations.includes(isolation);
  }

  /** Whether a member can have a network, or none. @param networked undefined: as it is */
  #mayGet(row: SandboxRow, networked: boolean | undefined): boolean {
    const has = specOf(row).network !== undefined;
    return networked === undefined || networked === has || (networked && this.#isLive(row));
  }

  /** Takes back a sandbox that {@link take} gave and that is unchanged. */
  putBack(entry: Entry): void {
    const { template, isolation } = entry.row;
    const pool = this.#keeper.pools.get(poolKey(template, isolation, memberDeviation(entry.row)));
    if (pool === undefined) this.#keeper.look();
    else this.#keeper.putBack(pool, entry);
  }

  /** Makes room for a sandbox that somebody asked for. */
  giveUpOne(): void {
    this.#keeper.giveUpOne();
  }

  /** Members stay as they are. */
  [Symbol.dispose](): void {
    this.#keeper[Symbol.dispose]();
  }

  #forgetUnused(pool: Pool): void {
    if (pool.configured === 0 && pool.reservations.size === 0) this.#keeper.pools.delete(pool.key);
  }

  #put(pool: Pool): Pool {
    this.#keeper.pools.set(pool.key, pool);
    return pool;
  }

  #find(principal: Principal, template: string, wanted?: Isolation): Pool {
    requireAdministrator(principal);
    const { driver, templates } = this.#options;
    const isolation = wanted ?? driver.isolations[0];
    const name = templates.nameOf(template);
    const pool =
      isolation === undefined ? undefined : this.#keeper.pools.get(poolKey(name, isolation));
    if (pool !== undefined) return pool;
    throw new SandportFault(
      'pool_not_found',
      `The template "${name}" has no pool with the isolation "${isolation ?? 'none'}".`,
      { template: name, isolation },
    );
  }
}

/** Whether members are as their template says. */
const isNone = ({ diskBytes, networked }: Deviation): boolean =>
  diskBytes === undefined && networked === undefined;
