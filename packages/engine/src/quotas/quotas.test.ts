import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver, DriverSandbox, SandboxSpec, StoppedSandbox } from '@sandport/driver';
import { createSandboxSchema, namespaceSchema, type VolumeName } from '@sandport/protocol';
import { openState, type State } from '@sandport/state';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { RefusingDriver } from '../testing/refusing-driver.ts';

/** Takes some time for everything. */
class SlowDriver extends RefusingDriver {
  override async create(spec: SandboxSpec): Promise<DriverSandbox> {
    await sleep(5);
    return super.create(spec);
  }

  override hibernate: Driver['hibernate'] = async (id) => {
    const { files } = await super.create({ id } as SandboxSpec);
    const commands = { kept: () => [] };
    const stopped: StoppedSandbox = { id, files, commands, reason: 'hibernated' };
    return { ...stopped, hibernation: { memory: false } };
  };

  override wake: Driver['wake'] = async (spec) => {
    await sleep(5);
    return { sandbox: await super.create(spec), memory: false };
  };

  override reconfigure: Driver['reconfigure'] = () => sleep(5);
}

const administrator: Principal = { keyId: 'k' };
const namespace = namespaceSchema.parse('team');
let state: State;
let engine: Engine;

beforeEach(async () => {
  state = openState(':memory:');
  engine = new Engine({ state, driver: new SlowDriver() });
  await engine.recover();
});
afterEach(() => {
  engine[Symbol.dispose]();
  state[Symbol.dispose]();
});

const create = (fields: object = {}) =>
  engine.sandboxes.create(
    administrator,
    createSandboxSchema.parse({ namespace, memory_mb: 100, ...fields }),
  );
const set = (quota: object) => engine.quotas.set(administrator, namespace, quota);
const get = () => engine.quotas.get(administrator, namespace);
const limit = (resource: string, at: number) => ({
  code: 'limit_reached',
  details: { namespace, resource, limit: at },
});
const outcomes = async (work: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(work)).filter(({ status }) => status === 'fulfilled').length;

test.each([
  ['sandboxes', { max_sandboxes: 7 }, 7],
  ['memory', { max_memory_mb: 750 }, 7],
  ['disk', { max_disk_mb: 500 }, 5],
])('fifty creates at once have no more %s than the quota', async (resource, quota, most) => {
  set(quota);
  const disk = { resources: { disk_mb: 100 } };
  expect(await outcomes(Array.from({ length: 50 }, () => create(disk)))).toBe(most);
  expect(get()).toMatchObject({ sandboxes: most, memory_mb: most * 100, disk_mb: most * 100 });
  await expect(create(disk)).rejects.toMatchObject(limit(resource, Object.values(quota)[0] ?? 0));
  // Another namespace has nothing to do with it.
  await create({ namespace: 'other' });
});

test('a sandbox that is gone makes room', async () => {
  set({ max_sandboxes: 1 });
  const { id } = await create();
  await expect(create()).rejects.toMatchObject(limit('sandboxes', 1));
  await engine.sandboxes.remove(administrator, id);
  await create();
});

test('memory counts while there are processes, and is needed again to wake', async () => {
  set({ max_memory_mb: 150 });
  const { id: sleeper } = await create();
  await engine.sandboxes.enter(administrator, sleeper, 'hibernate');
  expect(get().memory_mb).toBe(0);
  const { id: other } = await create();
  await expect(engine.sandboxes.wake(administrator, sleeper)).rejects.toMatchObject(
    limit('memory', 150),
  );
  expect(engine.sandboxes.get(administrator, sleeper).status).toBe('hibernated');
  await engine.sandboxes.remove(administrator, other);
  const racing = [engine.sandboxes.wake(administrator, sleeper), create(), create()];
  expect(await outcomes(racing)).toBe(1);
  expect(get().memory_mb).toBe(100);
});

test('a larger limit needs room, also while another grows', async () => {
  set({ max_memory_mb: 300 });
  const [one, other] = await Promise.all([create(), create()]);
  const grow = (id: string, memoryMb: number) =>
    engine.sandboxes.change(administrator, id, { resources: { memory_mb: memoryMb } });
  await expect(grow(one.id, 250)).rejects.toMatchObject(limit('memory', 300));
  expect(await outcomes([grow(one.id, 200), grow(other.id, 200)])).toBe(1);
  expect(get().memory_mb).toBe(300);
  // What takes less is allowed, also beyond the quota.
  set({ max_memory_mb: 50 });
  await grow(one.id, 90);
  expect(get()).toMatchObject({ max_memory_mb: 50 });
});

test('where disks are shared out each needs a size, volumes too', async () => {
  set({ max_disk_mb: 100 });
  const field = { code: 'invalid_request', details: { namespace } };
  await expect(create()).rejects.toMatchObject(field);
  const volume = (name: string, sizeMb?: number) =>
    engine.volumes.ensure(namespace, [
      { name: name as VolumeName, ...(sizeMb === undefined ? {} : { size_mb: sizeMb }) },
    ]);
  await expect(volume('a')).rejects.toMatchObject(field);
  await volume('a', 60);
  await volume('a', 60);
  await expect(volume('b', 60)).rejects.toMatchObject(limit('disk', 100));
  await expect(create({ resources: { disk_mb: 60 } })).rejects.toMatchObject(limit('disk', 100));
  const withNew = { resources: { disk_mb: 20 }, volumes: [{ name: 'c', size_mb: 30 }] };
  await expect(create(withNew)).rejects.toMatchObject(limit('disk', 100));
  expect(get()).toMatchObject({ sandboxes: 0, disk_mb: 60 });
  expect(engine.volumes.list(administrator).map(({ name }) => name)).toEqual(['a']);
});

test('a quota is kept over restarts, and taken away by an empty one', async () => {
  set({ max_sandboxes: 0, max_memory_mb: 1 });
  using again = new Engine({ state, driver: new SlowDriver() });
  expect(again.quotas.list(administrator)).toEqual([
    { namespace, max_sandboxes: 0, max_memory_mb: 1, sandboxes: 0, memory_mb: 0, disk_mb: 0 },
  ]);
  set({});
  expect(engine.quotas.list(administrator)).toEqual([]);
  await create();
  expect(engine.quotas.list(administrator)).toMatchObject([{ namespace, sandboxes: 1 }]);
});

test('a key sees its own namespaces, and sets no quota', async () => {
  set({ max_sandboxes: 1 });
  const mine: Principal = { keyId: 'm', namespaces: new Set([namespace]) };
  const other: Principal = { keyId: 'o', namespaces: new Set([namespaceSchema.parse('other')]) };
  expect(engine.quotas.list(mine)).toHaveLength(1);
  expect(engine.quotas.get(mine, namespace)).toMatchObject({ max_sandboxes: 1 });
  expect(engine.quotas.list(other)).toEqual([]);
  expect(() => engine.quotas.get(other, namespace)).toThrow(/may not use/);
  expect(() => engine.quotas.set(mine, namespace, {})).toThrow(/administrator/);
});

test('sandboxes made ahead count for nobody until they are taken', async () => {
  const key = { template: 'base', size: 2 };
  set({ max_sandboxes: 1 });
  await engine.pools.set(administrator, key.template, key);
  while (engine.pools.get(administrator, 'base').ready < 2) await sleep(5);
  expect(engine.quotas.list(administrator)).toMatchObject([{ namespace, sandboxes: 0 }]);
  const take = () => engine.sandboxes.create(administrator, { namespace });
  expect((await take()).boot_mode).toBe('pool');
  await expect(take()).rejects.toMatchObject(limit('sandboxes', 1));
  expect(engine.pools.get(administrator, 'base').taken).toBe(1);
});
