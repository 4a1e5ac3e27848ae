import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverSandbox, SandboxDeath, SandboxSpec, TemplateInfo } from '@sandport/driver';
import { type Network, SandportFault, type SandboxId } from '@sandport/protocol';
import { openState, type State } from '@sandport/state';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Engine, type EngineOptions } from '../engine.ts';
import type { Principal } from '../principal.ts';
import type { PoolWish } from './pools.ts';
import { RefusingDriver } from '../testing/refusing-driver.ts';

/** Makes sandboxes at once, and can be made to fail, to hold them back, and to let one die. */
class PoolDriver extends RefusingDriver {
  readonly made: SandboxSpec[] = [];
  readonly removed: SandboxId[] = [];
  readonly deaths = new Map<SandboxId, (death: SandboxDeath) => void>();
  underWay = 0;
  mostAtOnce = 0;
  failure: Error | undefined;
  reconfigureFailure: Error | undefined;
  /** Creates that wait to be let on; undefined: none waits. */
  heldBack: (() => void)[] | undefined;
  version = 'v1';
  /** Of the template. */
  network: Network | undefined;
  readonly reconfigured: SandboxSpec[] = [];
  override reconfigure = (spec: SandboxSpec): Promise<void> => {
    this.reconfigured.push(spec);
    return this.reconfigureFailure === undefined
      ? Promise.resolve()
      : Promise.reject(this.reconfigureFailure);
  };
  override readonly templates = {
    ...this.templatesOfBase,
    list: async (): Promise<TemplateInfo[]> => {
      const [base] = await this.templatesOfBase.list();
      return base === undefined ? [] : [{ ...base, version: this.version, network: this.network }];
    },
  };

  private get templatesOfBase() {
    return new RefusingDriver().templates;
  }

  override async create(spec: SandboxSpec): Promise<DriverSandbox> {
    this.underWay += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay);
    if (this.heldBack !== undefined)
      await new Promise<void>((resolve) => this.heldBack?.push(resolve));
    else await Promise.resolve();
    this.underWay -= 1;
    if (this.failure !== undefined) throw this.failure;
    this.made.push(spec);
    const sandbox = await super.create(spec);
    const died = new Promise<SandboxDeath>((resolve) => this.deaths.set(spec.id, resolve));
    return { ...sandbox, died };
  }

  /** Lets those on that wait now, and with `all` those too that come later. */
  letOn({ all = false } = {}): void {
    const waiting = this.heldBack?.splice(0) ?? [];
    if (all) this.heldBack = undefined;
    for (const go of waiting) go();
  }

  override remove(id: SandboxId): Promise<void> {
    this.removed.push(id);
    return Promise.resolve();
  }
}

const administrator: Principal = { keyId: 'k' };
const key = { template: 'base', isolation: 'container' } as const;
let state: State;
let driver: PoolDriver;
let engine: Engine;

const start = async (options: Partial<EngineOptions> = {}): Promise<void> => {
  engine = new Engine({ state, driver, ...options });
  await engine.recover();
};
const pool = () => engine.pools.get(administrator, 'base');
const ready = (count: number) => vi.waitFor(() => expect(pool().ready).toBe(count));

beforeEach(() => {
  state = openState(':memory:');
  driver = new PoolDriver();
});
afterEach(() => {
  engine[Symbol.dispose]();
  state[Symbol.dispose]();
});

test('a create takes one that is ready, as it was asked for, and the pool fills up again', async () => {
  await start();
  await engine.pools.set(administrator, 'default', { size: 2 });
  await ready(2);
  expect(driver.mostAtOnce).toBeLessThanOrEqual(2);
  expect(engine.sandboxes.list(administrator, {}).sandboxes).toEqual([]);
  const before = Date.now();
  const asked = { name: 'mine', metadata: { a: '1' }, env: { B: '2' }, ttl_seconds: 60 };
  const sandbox = await engine.sandboxes.create(administrator, asked as never);
  expect(sandbox).toMatchObject({ ...asked, boot_mode: 'pool', status: 'running' });
  expect(Date.parse(sandbox.created_at)).toBeGreaterThanOrEqual(before);
  expect(driver.made[0]).toMatchObject({ id: sandbox.id, env: {} });
  expect(engine.events.list(administrator, sandbox.id).map(({ type }) => type)).toEqual([
    'created',
  ]);
  expect(pool()).toMatchObject({ taken: 1, missed: 0 });
  await ready(2);
  expect(driver.made).toHaveLength(3);
});

test('a crowd is served before the pool fills up again, but not for ever', async () => {
  await start();
  await engine.pools.set(administrator, 'base', { size: 40 });
  await ready(40);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    for (let taken = 1; taken <= 29; taken += 1) {
      await engine.sandboxes.create(administrator, {});
      expect(driver.made).toHaveLength(40);
      expect(pool()).toMatchObject({ ready: 40 - taken, starting: 0 });
      await vi.advanceTimersByTimeAsync(100);
    }
    for (let taken = 30; taken <= 32; taken += 1) {
      await engine.sandboxes.create(administrator, {});
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(driver.made.length).toBeGreaterThan(40);
    await vi.advanceTimersByTimeAsync(200);
  } finally {
    vi.useRealTimers();
  }
  await ready(40);
});

test.each([
  ['another limit of processes', { resources: { pids: 16 } }],
  ['a disk of its own', { resources: { disk_mb: 64 } }],
  ['a volume', { volumes: [{ name: 'v' }] }],
])('one with %s is made for whoever asks', async (_, request) => {
  await start({ pools: [{ ...key, size: 1 }] });
  await ready(1);
  const sandbox = await engine.sandboxes.create(administrator, request as never);
  expect(sandbox.boot_mode).toBe('cold');
  expect(pool()).toMatchObject({ ready: 1, taken: 0, missed: 0 });
});

test('members have an interface where their template has a network, and what is asked for', async () => {
  driver.network = { egress: 'allowlist', allow: ['a.test'] };
  await start({ pools: [{ ...key, size: 3 }] });
  await ready(3);
  expect(driver.made[0]?.network).toEqual({ egress: 'none' });
  const plain = await engine.sandboxes.create(administrator, {});
  expect(plain).toMatchObject({ boot_mode: 'pool', network: driver.network });
  const other = await engine.sandboxes.create(administrator, { network: { egress: 'all' } });
  expect(other).toMatchObject({ boot_mode: 'pool', network: { egress: 'all' } });
  const none = await engine.sandboxes.create(administrator, { network: { egress: 'none' } });
  expect(none).toMatchObject({ boot_mode: 'cold', network: { egress: 'none' } });
  // A template that has none any more wants other members.
  driver.network = undefined;
  driver.made.length = 0;
  await engine.pools.set(administrator, 'base', { size: 2 });
  await vi.waitFor(() => expect(driver.made.map(({ network }) => network)).toContain(undefined));
});

test.each([
  ['container', 'pool'],
  ['gvisor', 'cold'],
] as const)(
  'a member of %s without a network for one that asks for one: %s',
  async (isolation, mode) => {
    Object.assign(driver, { isolations: ['gvisor', 'container'] });
    await start({ pools: [{ template: 'base', isolation, size: 1 }] });
    await vi.waitFor(() =>
      expect(engine.pools.get(administrator, 'base', isolation)).toMatchObject({ ready: 1 }),
    );
    const network = { egress: 'all' } as const;
    const made = await engine.sandboxes.create(administrator, { isolation, network });
    expect(made).toMatchObject({ boot_mode: mode, network });
  },
);

test('an empty pool is told of', async () => {
  driver.heldBack = [];
  await start({ pools: [{ ...key, size: 1 }] });
  const created = engine.sandboxes.create(administrator, {});
  await vi.waitFor(() => expect(pool()).toMatchObject({ missed: 1 }));
  await vi.waitFor(() => expect(driver.heldBack).not.toHaveLength(0));
  driver.letOn({ all: true });
  expect((await created).boot_mode).toBe('cold');
  await ready(1);
});

test('a stop ends the start of members and waits for the end of others', async () => {
  await start({ pools: [{ ...key, size: 1 }] });
  await ready(1);
  driver.heldBack = [];
  await engine.pools.set(administrator, 'base', { size: 2 });
  await vi.waitFor(() => expect(driver.heldBack).toHaveLength(1));
  let gone = () => {};
  const remove = vi.spyOn(driver, 'remove');
  remove.mockReturnValueOnce(new Promise((resolve) => (gone = resolve)));
  await engine.pools.set(administrator, 'base', { size: 0 });
  await vi.waitFor(() => expect(remove).toHaveBeenCalled());
  let settled = false;
  const settling = engine.settle(60_000).then(() => (settled = true));
  driver.letOn({ all: true });
  await vi.waitFor(() => expect(engine.sandboxes.registry.all()).toHaveLength(1));
  expect(settled).toBe(false);
  gone();
  await settling;
  expect(engine.sandboxes.registry.all()).toEqual([]);
});

test('a stop begins nothing that is due meanwhile', async () => {
  await start();
  const { id } = await engine.sandboxes.create(administrator, { ttl_seconds: 1 } as never);
  await engine.settle(60_000);
  await sleep(1_500);
  expect(engine.sandboxes.get(administrator, id).status).toBe('running');
  expect(driver.removed).toEqual([]);
});

test('a stop does not wait for ever', async () => {
  await start({ pools: [{ ...key, size: 1 }] });
  await ready(1);
  const remove = vi.spyOn(driver, 'remove').mockReturnValueOnce(new Promise(() => {}));
  await engine.pools.set(administrator, 'base', { size: 0 });
  await vi.waitFor(() => expect(remove).toHaveBeenCalled());
  await engine.settle(20);
  expect(engine.sandboxes.registry.all()).toHaveLength(1);
});

test('members are kept over restarts; those above the size, or of another version, are not', async () => {
  await start({ pools: [{ ...key, size: 3 }] });
  await ready(3);
  engine[Symbol.dispose]();
  // What the driver finds again: all that it made.
  driver.adopt = async ({ sandboxes }) => ({
    running: await Promise.all(sandboxes.map((spec) => driver.create(spec))),
    stopped: [],
    lost: [],
  });
  driver.made.length = 0;
  await start({ pools: [{ ...key, size: 2 }] });
  await ready(2);
  await vi.waitFor(() => expect(driver.removed).toHaveLength(1));
  driver.version = 'v2';
  await vi.waitFor(() => expect(driver.removed).toHaveLength(3), { timeout: 5_000 });
  await ready(2);
  expect(state.sandboxes.all().map(({ metadata }) => metadata)).toEqual([
    { template_version: 'v2' },
    { template_version: 'v2' },
  ]);
});

test('a member of an older version is not given away', async () => {
  await start({ pools: [{ ...key, size: 1 }] });
  await ready(1);
  driver.version = 'v2';
  expect((await engine.sandboxes.create(administrator, {})).boot_mode).toBe('cold');
});

test('one that dies while it waits is replaced, later each time', async () => {
  await start({ pools: [{ ...key, size: 1 }] });
  await ready(1);
  const [first] = driver.made;
  if (first === undefined) throw new Error('none was made');
  driver.deaths.get(first.id)?.({ reason: 'killed' });
  await vi.waitFor(() =>
    expect(pool()).toMatchObject({ ready: 0, error: expect.stringContaining('killed') }),
  );
  await vi.waitFor(() => expect(pool()).toMatchObject({ ready: 1 }), { timeout: 5_000 });
  expect(pool().error).toBeUndefined();
  expect(driver.removed).toEqual([first.id]);
  expect(engine.events.list(administrator)).toEqual([]);
});

test('what cannot be made is told, and tried again after a while', async () => {
  driver.failure = new SandportFault('disk_full', 'The disk is full.');
  await start({ pools: [{ ...key, size: 4 }] });
  await vi.waitFor(() => expect(pool().error).toBe('The disk is full.'));
  await sleep(200);
  expect(driver.made).toEqual([]);
  expect(pool()).toMatchObject({ ready: 0, starting: 0 });
  expect(state.sandboxes.all()).toEqual([]);
  driver.failure = undefined;
  await vi.waitFor(() => expect(pool().ready).toBe(4), { timeout: 8_000 });
  expect(pool().error).toBeUndefined();
});

test('a pool that the machine has no memory for is refused', async () => {
  await start({ poolMemoryBytes: 3 * 2 ** 30 });
  await expect(engine.pools.set(administrator, 'base', { size: 4 })).rejects.toMatchObject({
    code: 'limit_reached',
    details: { resource: 'memory', limit: 3072 },
  });
  expect(engine.pools.list(administrator)).toEqual([]);
  await engine.pools.set(administrator, 'base', { size: 3 });
  await ready(3);
});

test('one that was configured is filled as far as the memory goes', async () => {
  await start({ poolMemoryBytes: 2 * 2 ** 30, pools: [{ ...key, size: 5 }] });
  await ready(2);
  await vi.waitFor(() => expect(pool().error).toMatch(/2048/));
  expect(driver.made).toHaveLength(2);
});

test('members give way to sandboxes that are asked for, and take no more room than there is', async () => {
  await start({ maxSandboxes: 2, pools: [{ ...key, size: 2 }] });
  await ready(2);
  const cold = { resources: { pids: 16 } };
  await engine.sandboxes.create(administrator, cold);
  await vi.waitFor(() => expect(pool().ready).toBe(1));
  await engine.sandboxes.create(administrator, cold);
  await vi.waitFor(() => expect(state.sandboxes.all()).toHaveLength(2));
  await expect(engine.sandboxes.create(administrator, {})).rejects.toMatchObject({
    code: 'limit_reached',
  });
});

test('size 0 drains a pool, and a deleted one is no more', async () => {
  driver.heldBack = [];
  await start({ pools: [{ ...key, size: 4 }] });
  await vi.waitFor(() => expect(driver.heldBack).toHaveLength(2));
  driver.letOn();
  await vi.waitFor(() => expect(pool().ready).toBe(2));
  await vi.waitFor(() => expect(driver.heldBack).toHaveLength(2));
  const drained = engine.pools.set(administrator, 'base', { size: 0 });
  driver.letOn({ all: true });
  await drained;
  await vi.waitFor(() => expect(pool()).toMatchObject({ ready: 0, starting: 0 }));
  await vi.waitFor(() => expect(state.sandboxes.all()).toEqual([]));
  expect(driver.made.map(({ id }) => id).sort()).toEqual(driver.removed.sort());
  engine.pools.remove(administrator, 'base');
  expect(() => pool()).toThrow(/no pool/);
  expect(state.pools.all()).toEqual([]);
});

test('the pool of a template keeps it from being removed', async () => {
  await start({ pools: [{ ...key, size: 1 }] });
  await expect(engine.templates.remove('base')).rejects.toMatchObject({
    code: 'template_not_removable',
  });
  engine.pools.remove(administrator, 'base');
  await engine.templates.remove('base');
});

test('what no sandbox can have is refused, and nothing of the member is left', async () => {
  await start({ pools: [{ ...key, size: 1 }] });
  await ready(1);
  driver.reconfigureFailure = new SandportFault('invalid_request', 'No such user.');
  await expect(engine.sandboxes.create(administrator, { user: 'x' })).rejects.toThrow(/user/);
  expect(driver.removed).toEqual([driver.made[0]?.id]);
  expect(engine.sandboxes.list(administrator, {}).sandboxes).toEqual([]);
});

test('a member that is broken is made anew for whoever asked', async () => {
  await start({ pools: [{ ...key, size: 1 }] });
  await ready(1);
  driver.reconfigureFailure = new Error('gone');
  const { id, boot_mode } = await engine.sandboxes.create(administrator, {});
  expect(boot_mode).toBe('cold');
  expect(driver.removed).toEqual([id]);
});

test('a name that is taken leaves the pool as it is', async () => {
  await start({ pools: [{ ...key, size: 2 }] });
  await ready(2);
  await engine.sandboxes.create(administrator, { name: 'a' as never });
  await expect(engine.sandboxes.create(administrator, { name: 'a' as never })).rejects.toThrow(/a/);
  expect(pool()).toMatchObject({ taken: 1 });
  await ready(2);
  expect(driver.removed).toEqual([]);
});

test('pools are for administrators', async () => {
  await start({ pools: [{ ...key, size: 1 }] });
  const bound: Principal = { keyId: 'b', namespaces: new Set() };
  expect(() => engine.pools.list(bound)).toThrow(/administrator/);
  expect(() => engine.pools.get(bound, 'base')).toThrow(/administrator/);
  expect(() => engine.pools.remove(bound, 'base')).toThrow(/administrator/);
  await expect(engine.pools.set(bound, 'base', { size: 1 })).rejects.toThrow(/administrator/);
});

test('one with other processor time and memory is taken, or made when it cannot have them', async () => {
  await start({ pools: [{ ...key, size: 1 }] });
  await ready(1);
  const request = { resources: { cpu: 2, memory_mb: 64 } };
  const taken = await engine.sandboxes.create(administrator, request);
  expect(taken).toMatchObject({ boot_mode: 'pool', ...request });
  await ready(1);
  driver.reconfigureFailure = new SandportFault('invalid_request', 'It uses more.');
  expect((await engine.sandboxes.create(administrator, request)).boot_mode).toBe('cold');
});

describe('reservations', () => {
  const wish: PoolWish = {
    template: 'default',
    size: 2,
    namespace: 'a' as PoolWish['namespace'],
  };

  test('come beside what is configured, and go', async () => {
    await start({ pools: [{ ...key, size: 1 }] });
    const changes = vi.fn();
    using subscription = engine.pools.subscribe(changes);
    void subscription;
    await engine.pools.reserve('one', wish);
    await engine.pools.reserve('two', { ...wish, size: 1 });
    await ready(4);
    expect(changes).toHaveBeenCalled();
    expect(pool()).toMatchObject({ size: 4 });
    expect(engine.pools.reserved('one')).toEqual({ size: 2, ready: 2 });
    expect(engine.pools.readyFor({ template: 'base' })).toBe(4);
    await engine.pools.reserve('one', { ...wish, size: 1 });
    await ready(3);
    engine.pools.release('one');
    engine.pools.release('two');
    await ready(1);
    engine.pools.remove(administrator, 'base');
    await vi.waitFor(() => expect(state.sandboxes.all()).toEqual([]));
    expect(engine.pools.reserved('one')).toBeUndefined();
  });

  test('outlive the pool that was configured', async () => {
    await start({ pools: [{ ...key, size: 1 }] });
    await engine.pools.reserve('one', wish);
    await ready(3);
    engine.pools.remove(administrator, 'base');
    await ready(2);
    await expect(engine.templates.remove('base')).rejects.toThrow(/pool/);
  });

  test('with a disk of its own are for requests with that disk', async () => {
    await start();
    await engine.pools.reserve('one', { ...wish, diskMb: 64 });
    await vi.waitFor(() => expect(engine.pools.reserved('one')).toEqual({ size: 2, ready: 2 }));
    expect(engine.pools.list(administrator)).toEqual([]);
    expect(engine.pools.readyFor({ template: 'base', diskMb: 64 })).toBe(2);
    expect((await engine.sandboxes.create(administrator, {})).boot_mode).toBe('cold');
    const request = { resources: { disk_mb: 64 } };
    const taken = await engine.sandboxes.create(administrator, request);
    expect(taken).toMatchObject({ boot_mode: 'pool', resources: { disk_mb: 64 } });
    expect(taken.metadata).toEqual({});
  });

  test('with an interface are for requests with a network', async () => {
    await start();
    await engine.pools.reserve('one', { ...wish, networked: true });
    await vi.waitFor(() => expect(engine.pools.reserved('one')).toEqual({ size: 2, ready: 2 }));
    // Nothing passes before somebody takes them.
    expect(driver.made.map(({ network }) => network)).toEqual([
      { egress: 'none' },
      { egress: 'none' },
    ]);
    expect(engine.pools.list(administrator)).toEqual([]);
    expect(engine.pools.readyFor({ template: 'base', networked: true })).toBe(2);
    expect(engine.pools.readyFor({ template: 'base', networked: false })).toBe(0);
    expect((await engine.sandboxes.create(administrator, {})).boot_mode).toBe('cold');
    const request = { network: { egress: 'all' } } as const;
    const taken = await engine.sandboxes.create(administrator, request);
    expect(taken).toMatchObject({ boot_mode: 'pool', network: { egress: 'all' } });
    expect(driver.reconfigured.at(-1)?.network).toEqual({ egress: 'all' });
    expect(taken.metadata).toEqual({});
  });

  test('count against the quota of their namespace', async () => {
    await start();
    engine.quotas.set(administrator, wish.namespace, { max_sandboxes: 3 });
    const request = { namespace: wish.namespace };
    await engine.sandboxes.create(administrator, request);
    await engine.pools.reserve('one', { ...wish, size: 5 });
    expect(engine.pools.reserved('one')).toMatchObject({
      size: 2,
      error: expect.stringContaining('room for 2 of 5'),
    });
    await expect(engine.sandboxes.create(administrator, request)).rejects.toMatchObject({
      code: 'limit_reached',
    });
    engine.pools.release('one');
    await engine.sandboxes.create(administrator, request);
  });

  test('find their members again after a restart', async () => {
    await start({ poolGraceMs: 60_000 });
    await engine.pools.reserve('one', wish);
    await ready(2);
    engine[Symbol.dispose]();
    driver.adopt = async ({ sandboxes }) => ({
      running: await Promise.all(sandboxes.map((spec) => driver.create(spec))),
      stopped: [],
      lost: [],
    });
    driver.made.length = 0;
    await start({ poolGraceMs: 60_000 });
    await engine.pools.reserve('one', wish);
    await ready(2);
    expect(driver.made).toHaveLength(2);
    expect(driver.removed).toEqual([]);
  });
});
