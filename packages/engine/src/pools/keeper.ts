import type { Driver, DriverSandbox, TemplateInfo, TemplateStore } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import { type Entry, hasProcesses, newEntry, specOf } from '../sandboxes/entry.ts';
import type { Registry } from '../sandboxes/registry.ts';
import { Endings } from './endings.ts';
import { isOf, memberDeviation, memberRow } from './member-row.ts';
import { type Pool, poolKey } from './pool.ts';
import { refuseBeyondMemory } from './refuse-beyond-memory.ts';

export interface KeeperOptions {
  readonly driver: Pick<Driver, 'create'>;
  readonly store: Pick<TemplateStore, 'list'>;
  readonly registry: Registry;
  /** Most memory that all pools may promise together. */
  readonly memoryBytes: number;
  /** Removes a sandbox. */
  readonly end: (entry: Entry) => Promise<void>;
  /** For how long after the start members stay that no pool wants, in milliseconds. */
  readonly graceMs: number;
  /** Called when members have come or gone. */
  readonly changed: () => void;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** Members that are made at one time; beside a create that somebody waits for only one. */
const startsAtOnce = 2;
/** How often templates and members are looked at, in milliseconds. */
const lookEveryMs = 2_000;
/** How long nobody takes a member before pools make what is missing, in milliseconds. */
const refillAfterMs = 200;
/** Longest that those who take members one after the other put that off, in milliseconds. */
const refillWithinMs = 3_000;
/** A pool whose members live so long has recovered, in milliseconds. */
const steadyMs = 30_000;

/** Keeps pools at their sizes: makes what is missing, ends what is too much, outdated or dead. */
export class Keeper implements Disposable {
  readonly pools = new Map<string, Pool>();
  readonly #options: KeeperOptions;
  readonly #unwanted: Endings;
  #underWay = 0;
  #looking = false;
  #lookAgain = false;
  #closed = false;
  #graceUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #refill: NodeJS.Timeout | undefined;
  /** When the first of those was taken that came one soon after the other. */
  #takenSince: number | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#unwanted = new Endings(options.end, options.log);
  }

  /** Takes over the members that an earlier daemon made. */
  start(): void {
    this.#graceUntil = performance.now() + this.#options.graceMs;
    for (const pool of this.pools.values()) this.adopt(pool);
    this.#timer = setInterval(() => this.look(), lookEveryMs).unref();
    this.look();
  }

  /** Takes over the members of the pool that are in no pool. */
  adopt(pool: Pool): void {
    for (const entry of this.#options.registry.all()) {
      const { row } = entry;
      if (!row.pooled || row.status !== 'running' || this.#isMember(entry)) continue;
      if (poolKey(row.template, row.isolation, memberDeviation(row)) === pool.key)
        this.#keep(pool, entry);
    }
  }

  /** A member of this version of the template, which is the pool's no more. */
  take(pool: Pool, template: TemplateInfo): Entry | undefined {
    for (const entry of pool.ready) {
      pool.ready.delete(entry);
      if (entry.row.status !== 'running' || !isOf(entry.row, template)) {
        this.#unwanted.add(entry);
        continue;
      }
      pool.taken += 1;
      pool.backoff.succeeded();
      this.#options.changed();
      this.#refillLater();
      return entry;
    }
    pool.missed += 1;
    return undefined;
  }

  /** Takes back a member that was not needed after all. */
  putBack(pool: Pool, entry: Entry): void {
    pool.taken -= 1;
    pool.ready.add(entry);
    this.#options.changed();
    this.look();
  }

  /** Ends a member, so that there is room for somebody who asks. */
  giveUpOne(): void {
    const entry = [...this.pools.values()].flatMap(({ ready }) => [...ready]).at(-1);
    if (entry !== undefined) this.#drop(entry);
  }

  /** To be called after each change of a pool: sees to it at once, and later again. */
  look(): void {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    this.#look()
      .catch((error: unknown) => this.#options.log('pools not looked at', { error: String(error) }))
      .finally(() => {
        this.#looking = false;
        if (!this.#lookAgain) return;
        this.#lookAgain = false;
        this.look();
      });
  }

  /** Members stay as they are. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#unwanted.close();
    clearInterval(this.#timer);
    clearTimeout(this.#refill);
  }

  async #look(): Promise<void> {
    const { store, registry } = this.#options;
    const templates = this.pools.size === 0 ? [] : await store.list();
    if (this.#closed) return;
    for (const pool of this.pools.values()) {
      const template = templates.find(({ name }) => name === pool.template);
      for (const entry of pool.ready)
        if (template?.status === 'ready' && !isOf(entry.row, template)) this.#drop(entry);
      if (!this.#isGrace) this.#trim(pool);
      const [oldest] = pool.ready;
      if (oldest !== undefined && Date.now() - oldest.row.createdAt.getTime() > steadyMs)
        pool.backoff.succeeded();
    }
    for (const entry of registry.all())
      if (entry.row.pooled && !this.#isGrace && !this.#isMember(entry)) this.#unwanted.add(entry);
    this.#unwanted.tryAgain();
    this.#fill();
  }

  /** Whoever wants members may not have said so yet. */
  get #isGrace(): boolean {
    return performance.now() < this.#graceUntil;
  }

  #isMember(entry: Entry): boolean {
    return [...this.pools.values()].some(({ ready, made }) => ready.has(entry) || made.has(entry));
  }

  #trim(pool: Pool): void {
    const making = [...pool.made].filter((entry) => !entry.abort.signal.aborted);
    const members = [...making, ...[...pool.ready].toReversed()];
    const surplus = pool.ready.size + pool.starting - pool.size;
    for (const entry of members.slice(0, Math.max(surplus, 0))) this.#drop(entry);
  }

  #drop(entry: Entry): void {
    for (const pool of this.pools.values()) pool.ready.delete(entry);
    this.#unwanted.add(entry);
    this.#options.changed();
  }

  /** A crowd is served first: what is made meanwhile would take the processors from it. */
  #refillLater(): void {
    this.#takenSince ??= performance.now();
    clearTimeout(this.#refill);
    this.#refill = setTimeout(() => {
      this.#refill = undefined;
      this.#takenSince = undefined;
      this.#fill();
    }, refillAfterMs).unref();
    this.#fill();
  }

  get #isCrowded(): boolean {
    const since = this.#takenSince;
    return since !== undefined && performance.now() - since < refillWithinMs;
  }

  /** Those with the most to make come first. */
  #fill(): void {
    if (this.#isCrowded) return;
    const isAsked = ({ row }: Entry) => row.status === 'creating' && !row.pooled;
    const atOnce = this.#options.registry.all().some(isAsked) ? 1 : startsAtOnce;
    while (!this.#closed && this.#underWay < atOnce) {
      const [next] = [...this.pools.values()]
        .filter(({ missing, backoff }) => missing > 0 && backoff.waitMs === 0)
        .sort((one, other) => other.missing - one.missing);
      if (next === undefined) return;
      void this.#make(next);
    }
  }

  async #make(pool: Pool): Promise<void> {
    this.#underWay += 1;
    pool.starting += 1;
    const { error: errorBefore } = pool;
    let entry: Entry | undefined;
    try {
      entry = newEntry(memberRow(await this.#templateFor(pool), pool.isolation, pool.deviation));
      if (this.#closed || this.pools.get(pool.key) !== pool) return;
      this.#options.registry.insert(entry);
      pool.made.add(entry);
      await this.#boot(entry);
      if (pool.error === errorBefore) pool.error = undefined;
      if (!entry.abort.signal.aborted) this.#keep(pool, entry);
    } catch (error) {
      if (!this.#closed && entry?.abort.signal.aborted !== true) this.#failed(pool, error);
    } finally {
      if (entry !== undefined) pool.made.delete(entry);
      pool.starting -= 1;
      this.#underWay -= 1;
      this.#fill();
    }
  }

  #boot(entry: Entry): Promise<void> {
    const { driver, registry } = this.#options;
    return entry.turns.take(async () => {
      const startedAt = performance.now();
      try {
        const { signal } = entry.abort;
        const sandbox = await driver.create(specOf(entry.row), { signal });
        await warmUp(sandbox);
        entry.sandbox = sandbox;
      } catch (error) {
        registry.forget(entry.row.id);
        throw error;
      }
      const bootMs = Math.round((performance.now() - startedAt) * 10) / 10;
      registry.change(entry, { status: 'running', bootMs });
    });
  }

  #keep(pool: Pool, entry: Entry): void {
    if (!hasProcesses(entry.sandbox)) return;
    pool.ready.add(entry);
    this.#options.changed();
    void entry.sandbox.died.then(({ reason }) => {
      if (!pool.ready.has(entry)) return;
      this.#drop(entry);
      this.#failed(pool, new Error(`one that waited died: ${reason}`));
      this.look();
    });
  }

  #failed(pool: Pool, error: unknown): void {
    pool.backoff.failed();
    pool.error = error instanceof Error ? error.message : String(error);
    this.#options.changed();
    this.#options.log('member of a pool not made, or dead', {
      pool: pool.key,
      error: pool.error,
      again_in_ms: Math.round(pool.backoff.waitMs),
    });
  }

  /** Of one more member. @throws SandportFault when there is no template, or no room, for it */
  async #templateFor({ template: name }: Pool): Promise<TemplateInfo> {
    const { store, memoryBytes } = this.#options;
    const templates = await store.list();
    const members = [...this.pools.values()].map(({ template, ready, starting }) => ({
      template,
      size: ready.size + starting,
    }));
    refuseBeyondMemory(members, templates, memoryBytes);
    const template = templates.find((each) => each.name === name);
    if (template?.status === 'ready') return template;
    throw new SandportFault('template_not_built', `The template "${name}" is not built.`, {
      template: name,
    });
  }
}

const warmUpCommand = { args: ['true'], cwd: '/', user: '0', timeoutMs: 2_000 };

/** Runs a command that does nothing: the first one takes longer than others. */
async function warmUp({ commands }: DriverSandbox): Promise<void> {
  try {
    const { stdout, stderr, exit } = await commands.start(warmUpCommand);
    stdout.destroy();
    stderr.destroy();
    await exit;
  } catch {
    // A template need not have this command.
  }
}
