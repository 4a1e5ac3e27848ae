import type { Driver, TemplateInfo } from '@sandport/driver';
import {
  type Isolation,
  type PoolObject,
  SandportFault,
  type SetPool,
  type TemplateName,
  templateNameSchema,
} from '@sandport/protocol';
import type { PoolTable, SandboxRow } from '@sandport/state';
import { type Principal, requireAdministrator } from '../principal.ts';
import type { Entry } from '../sandboxes/entry.ts';
import { chooseIsolation } from '../sandboxes/new-row.ts';
import type { Templates } from '../templates.ts';
import { Keeper, type KeeperOptions } from './keeper.ts';
import { fits } from './member-row.ts';
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

export interface PoolsOptions extends Omit<KeeperOptions, 'store'> {
  readonly driver: Pick<Driver, 'create' | 'isolations' | 'templates'>;
  readonly table: PoolTable;
  readonly templates: Templates;
}

/** Sandboxes made ahead, so that whoever asks for one need not wait for its start. */
export class Pools implements Disposable {
  readonly #options: PoolsOptions;
  readonly #keeper: Keeper;

  constructor(options: PoolsOptions) {
    this.#options = options;
    this.#keeper = new Keeper({ ...options, store: options.driver.templates });
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
    return [...this.#keeper.pools.values()].map((pool) => pool.toObject());
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
    if (size > (before?.size ?? 0))
      refuseBeyondMemory([...others, { template: name, size }], all, memoryBytes);
    table.set({ template: name, isolation, size });
    const pool = before ?? this.#put(new Pool(name, isolation, size));
    pool.size = size;
    pool.backoff.succeeded();
    this.#keeper.look();
    return pool.toObject();
  }

  /** Ends a pool; its members go afterwards. @throws SandportFault `pool_not_found`, `forbidden` */
  remove(principal: Principal, template: string, isolation?: Isolation): void {
    const pool = this.#find(principal, template, isolation);
    this.#options.table.delete(pool.template, pool.isolation);
    pool.size = 0;
    this.#keeper.pools.delete(pool.key);
    this.#keeper.look();
  }

  /** Whether sandboxes of the template are made ahead. */
  keeps(template: TemplateName): boolean {
    return [...this.#keeper.pools.values()].some((pool) => pool.template === template);
  }

  /** The sandbox that can be the one that was asked for, if there is one; it is the caller's then. */
  take(asked: SandboxRow, template: TemplateInfo): Entry | undefined {
    const pool = this.#keeper.pools.get(poolKey(asked.template, asked.isolation));
    if (pool === undefined || pool.size === 0 || !fits(asked, template)) return undefined;
    return this.#keeper.take(pool, template);
  }

  /** Takes back a sandbox that {@link take} gave and that is unchanged. */
  putBack(entry: Entry): void {
    const { template, isolation } = entry.row;
    const pool = this.#keeper.pools.get(poolKey(template, isolation));
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
