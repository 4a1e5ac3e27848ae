import type { ChangeLifecycle, CreateSandbox } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { FindingDriver } from '../testing/states-driver.ts';

const key: Principal = { keyId: 'k' };
const day = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An engine with one sandbox; `restart` replaces it by one of the next daemon. */
async function begin(request: CreateSandbox) {
  const state = openState(':memory:');
  const driver = new FindingDriver((each, id) => ({ running: [each.processes(id)] }));
  const logged: string[] = [];
  const start = () => new Engine({ state, driver, log: (message) => logged.push(message) });
  let engine = start();
  const { id } = await engine.sandboxes.create(key, request);
  const box = {
    driver,
    logged,
    id,
    get engine() {
      return engine;
    },
    get entry() {
      return engine.sandboxes.find(key, id);
    },
    restart: async (downMs: number) => {
      engine[Symbol.dispose]();
      await vi.advanceTimersByTimeAsync(downMs);
      engine = start();
      await engine.recover();
    },
    status: () => engine.sandboxes.registry.byId(id)?.row.status ?? 'gone',
    change: (change: ChangeLifecycle) => engine.sandboxes.changeLifecycle(key, id, change),
    told: () => engine.events.list(key, id).map(({ type }) => type),
    [Symbol.dispose]: () => {
      engine[Symbol.dispose]();
      state[Symbol.dispose]();
    },
  };
  return box;
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('a sandbox ends when its time is over, and not before', async () => {
  using box = await begin({ ttl_seconds: 60 });
  await pass(59_990);
  expect(box.status()).toBe('running');
  await pass(20);
  expect(box.status()).toBe('gone');
  expect(box.told()).toEqual(['created', 'expired', 'deleted']);
});

test('a change of the time to live counts from then on; persistent ones stay', async () => {
  using box = await begin({ ttl_seconds: 60 });
  await pass(50_000);
  expect(box.change({ ttl_seconds: 60 }).expires_at).toBe(
    new Date(Date.now() + 60_000).toISOString(),
  );
  await pass(50_000);
  expect(box.change({ persistent: true })).toEqual({
    ttl_seconds: 60,
    persistent: true,
    idle_timeout_seconds: 0,
    idle_action: 'hibernate',
    idle_seconds: 100,
  });
  await pass(day);
  box.change({ persistent: false });
  await pass(59_000);
  expect(box.status()).toBe('running');
  box.change({ ttl_seconds: 0 });
  await pass(day);
  expect(box.status()).toBe('running');
  box.change({ ttl_seconds: 2 * 86_400 });
  await pass(2 * day - 1_000);
  expect(box.status()).toBe('running');
  await pass(1_010);
  expect(box.status()).toBe('gone');
});

test('a hibernated sandbox ends with its time, too', async () => {
  using box = await begin({ ttl_seconds: 60 });
  await box.engine.sandboxes.enter(key, box.id, 'hibernate');
  await pass(60_010);
  expect(box.status()).toBe('gone');
});

test('a time that ran out while no daemon ran ends the sandbox at the next start', async () => {
  using box = await begin({ ttl_seconds: 60 });
  await box.restart(120_000);
  await pass(10);
  expect(box.status()).toBe('gone');
  expect(box.told()).toEqual(['created', 'expired', 'deleted']);
});

test('a clock that was set is noticed within half a minute', async () => {
  using box = await begin({ ttl_seconds: 3600, idle_timeout_seconds: 3600 });
  vi.setSystemTime(Date.now() - day);
  await pass(3_599_000);
  expect(box.status()).toBe('running');
  vi.setSystemTime(Date.now() + day);
  box.engine.commands.ready(key, box.id).catch(() => undefined);
  vi.setSystemTime(Date.now() + 10_000);
  await pass(30_000);
  expect(box.status()).toBe('gone');
  expect(box.told()).toEqual(['created', 'expired', 'deleted']);
});

test('an unused sandbox is hibernated, one that is used is not', async () => {
  using box = await begin({ idle_timeout_seconds: 10 });
  await pass(9_000);
  await box.engine.commands.ready(key, box.id);
  await pass(9_990);
  expect(box.status()).toBe('running');
  {
    using use = box.engine.files.using(key, box.id);
    void use;
    await pass(33_000);
  }
  await pass(9_990);
  expect(box.status()).toBe('running');
  await pass(20);
  expect(box.status()).toBe('hibernated');
  await pass(60_000);
  expect(box.told()).toEqual(['created', 'idle', 'hibernated']);
  expect(box.engine.events.list(key, box.id)[1]?.payload).toEqual({
    action: 'hibernate',
    idle_seconds: 10,
  });
  await box.engine.sandboxes.wake(key, box.id);
  await pass(10_010);
  expect(box.status()).toBe('hibernated');
  expect(vi.getTimerCount()).toBe(0);
});

test('an unused sandbox is deleted where that was asked for', async () => {
  using box = await begin({ idle_timeout_seconds: 10, idle_action: 'kill' });
  await pass(10_010);
  expect(box.status()).toBe('gone');
  expect(box.told()).toEqual(['created', 'idle', 'deleted']);
});

test('a paused sandbox does not go idle', async () => {
  using box = await begin({ idle_timeout_seconds: 10 });
  await box.engine.sandboxes.enter(key, box.id, 'pause');
  await pass(60_000);
  expect(box.status()).toBe('paused');
  await box.engine.sandboxes.enter(key, box.id, 'resume');
  await pass(9_990);
  expect(box.status()).toBe('running');
  await pass(20);
  expect(box.status()).toBe('hibernated');
});

test('idleness is counted on over a restart, also over a crash', async () => {
  using box = await begin({ idle_timeout_seconds: 100 });
  await pass(40_000);
  await box.engine.commands.ready(key, box.id);
  await pass(10_000);
  await box.restart(20_000);
  expect(box.engine.sandboxes.lifecycle(key, box.id).idle_seconds).toBe(30);
  await pass(69_000);
  expect(box.status()).toBe('running');
  await pass(1_010);
  expect(box.status()).toBe('hibernated');
});

test('what was used is written down now and then, and not when nothing was', async () => {
  using box = await begin({});
  await box.restart(0);
  const written = vi.spyOn(box.engine.sandboxes.registry, 'change');
  await pass(5 * 60_000);
  expect(written).not.toHaveBeenCalled();
  await box.engine.commands.ready(key, box.id);
  await pass(5 * 60_000);
  expect(written).toHaveBeenCalledOnce();
});

test('a hibernation that fails is tried again, later each time, and told once', async () => {
  using box = await begin({ idle_timeout_seconds: 1 });
  box.driver.failures.set('hibernate', new Error('no room'));
  await pass(3_600_000);
  expect(box.status()).toBe('running');
  const tries = box.driver.calls.filter((call) => call === 'hibernate').length;
  expect(tries).toBeGreaterThan(10);
  expect(tries).toBeLessThan(30);
  expect(box.told()).toEqual(['created', 'idle']);
  expect(box.logged.filter((message) => /not kept/.test(message))).toHaveLength(tries);
  box.driver.failures.clear();
  await pass(300_000);
  expect(box.status()).toBe('hibernated');
});

test('many idle sandboxes are put to sleep some at a time, and others end meanwhile', async () => {
  using box = await begin({ idle_timeout_seconds: 10 });
  const { sandboxes } = box.engine;
  for (let count = 1; count < 10; count++)
    await sandboxes.create(key, { idle_timeout_seconds: 10, ttl_seconds: count === 9 ? 20 : 0 });
  let open = (): void => undefined;
  box.driver.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const hibernations = () => box.driver.calls.filter((call) => call === 'hibernate').length;
  await pass(15_000);
  expect(hibernations()).toBe(4);
  await pass(10_000);
  expect(box.driver.calls.filter((call) => call === 'remove')).toHaveLength(1);
  open();
  await pass(1_000);
  expect(hibernations()).toBe(9);
  expect(sandboxes.list(key, { status: 'hibernated' }).sandboxes).toHaveLength(9);
});

test('a removal that fails when the time is over is tried again', async () => {
  using box = await begin({ ttl_seconds: 10 });
  box.driver.failures.set('remove', new Error('busy'));
  await pass(20_000);
  expect(box.status()).toBe('deleted');
  box.driver.failures.clear();
  await pass(20_000);
  expect(box.status()).toBe('gone');
});
