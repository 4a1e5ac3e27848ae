import { SandportFault } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { StatesDriver } from '../testing/states-driver.ts';

const key: Principal = { keyId: 'k' };

/** An engine with one sandbox. */
async function begin() {
  const state = openState(':memory:');
  const driver = new StatesDriver();
  const engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  driver.calls.length = 0;
  return {
    state,
    driver,
    engine,
    id,
    entry: engine.sandboxes.find(key, id),
    status: () => engine.sandboxes.get(key, id).status,
    enter: (change: 'pause' | 'resume' | 'hibernate') => engine.sandboxes.enter(key, id, change),
    wake: () => engine.sandboxes.wake(key, id),
    told: () => engine.events.list(key, id).map(({ type }) => type),
    [Symbol.dispose]: () => {
      engine[Symbol.dispose]();
      state[Symbol.dispose]();
    },
  };
}

const invalid = { code: 'invalid_state' };

test('each change is asked for once, and told once, however often one asks', async () => {
  using box = await begin();
  await box.enter('pause');
  expect((await box.enter('pause')).status).toBe('paused');
  await box.enter('resume');
  expect((await box.enter('resume')).status).toBe('running');
  await box.enter('hibernate');
  expect(await box.enter('hibernate')).toMatchObject({ status: 'hibernated', memory: true });
  expect(await box.wake()).toMatchObject({ status: 'running', woken: true, boot_mode: 'memory' });
  expect(await box.wake()).toMatchObject({ status: 'running', woken: false });
  expect(box.engine.sandboxes.get(key, box.id)).not.toHaveProperty('memory');
  expect(box.driver.calls).toEqual(['pause', 'resume', 'hibernate', 'wake']);
  expect(box.told()).toEqual(['created', 'paused', 'resumed', 'hibernated', 'woken']);
});

test('changes that the state does not allow answer with the state and change nothing', async () => {
  using box = await begin();
  await box.enter('pause');
  await expect(box.wake()).rejects.toMatchObject({ ...invalid, message: /paused.*resume it/ });
  await expect(box.engine.commands.ready(key, box.id)).rejects.toMatchObject(invalid);
  await box.engine.files.writing(key, box.id);
  await box.enter('hibernate');
  await expect(box.enter('pause')).rejects.toMatchObject(invalid);
  await expect(box.enter('resume')).rejects.toMatchObject(invalid);
  expect(box.status()).toBe('hibernated');
  expect(box.driver.calls).toEqual(['pause', 'hibernate']);
});

test('a failed change leaves the sandbox as it was, and can be asked for again', async () => {
  using box = await begin();
  const full = new SandportFault('disk_full', 'The disk is full.');
  box.driver.failures.set('hibernate', full);
  await expect(box.enter('hibernate')).rejects.toBe(full);
  expect(box.status()).toBe('running');
  box.driver.failures.clear();
  await box.enter('hibernate');
  box.driver.failures.set('wake', full);
  await expect(box.wake()).rejects.toBe(full);
  expect(box.status()).toBe('hibernated');
  box.driver.failures.clear();
  await box.wake();
  expect(box.told()).toEqual(['created', 'hibernated', 'woken']);
});

test('looking wakes nothing; commands and writes share one wake, and are told of it', async () => {
  using box = await begin();
  await box.enter('hibernate');
  await box.engine.files.reading(key, box.id);
  box.engine.sandboxes.lifecycle(key, box.id);
  expect(box.status()).toBe('hibernated');
  const told: unknown[] = [];
  const options = { onWake: (waking: unknown) => told.push(waking) };
  await Promise.all([
    box.engine.commands.ready(key, box.id, options),
    box.engine.files.writing(key, box.id, options),
    box.engine.commands.ready(key, box.id, options),
  ]);
  expect(box.driver.calls).toEqual(['hibernate', 'wake']);
  expect(told).toEqual(Array.from({ length: 3 }, () => ({ woken: true, memory: true })));
  await box.engine.commands.ready(key, box.id, options);
  expect(told).toHaveLength(3);
  expect(box.engine.events.list(key, box.id).at(-1)?.payload).toEqual({
    cause: 'command',
    memory: true,
  });
});

test('a wake that fails fails for all who wait for it, and is tried once', async () => {
  using box = await begin();
  await box.enter('hibernate');
  box.driver.failures.set('wake', new SandportFault('create_failed', 'It was not started.'));
  const failed = { status: 'rejected', reason: { code: 'create_failed' } };
  const asked = [1, 2, 3].map(() => box.engine.commands.ready(key, box.id));
  expect(await Promise.allSettled(asked)).toMatchObject([failed, failed, failed]);
  expect(box.driver.calls).toEqual(['hibernate', 'wake']);
});

test('a command that comes while a hibernation is under way wakes the sandbox after it', async () => {
  using box = await begin();
  const hibernating = box.enter('hibernate');
  await box.engine.commands.ready(key, box.id);
  await hibernating;
  expect(box.status()).toBe('running');
  expect(box.driver.calls).toEqual(['hibernate', 'wake']);
});

test('memory that cannot be had back is told, until the next change', async () => {
  using box = await begin();
  await box.enter('hibernate');
  box.driver.fallback = 'the image is damaged';
  expect(await box.wake()).toMatchObject({
    woken: true,
    memory: false,
    boot_mode: 'disk',
    status_reason: 'the image is damaged',
  });
  expect(box.engine.events.list(key, box.id).at(-1)?.payload).toEqual({
    cause: 'asked',
    memory: false,
    reason: 'the image is damaged',
  });
  await box.enter('hibernate');
  expect(box.engine.sandboxes.get(key, box.id)).not.toHaveProperty('status_reason');
});

test('a death is told with its reason; a wake by hand begins afresh, a command does not', async () => {
  using box = await begin();
  box.driver.die(box.id, 'its init ended');
  await expect.poll(box.status).toBe('failed');
  expect(box.engine.sandboxes.get(key, box.id).status_reason).toBe('its init ended');
  await box.engine.files.writing(key, box.id);
  await expect(box.engine.commands.ready(key, box.id)).rejects.toMatchObject(invalid);
  await expect(box.enter('pause')).rejects.toMatchObject(invalid);
  await expect(box.enter('hibernate')).rejects.toMatchObject(invalid);
  box.driver.memory = false;
  expect(await box.wake()).toMatchObject({ status: 'running', woken: true, memory: false });
  expect(box.told()).toEqual(['created', 'failed', 'woken']);
});

test('the death of processes that were replaced since is nobody’s', async () => {
  using box = await begin();
  const { entry } = box;
  const before = entry.sandbox;
  await box.enter('hibernate');
  box.driver.die(box.id, 'late news');
  await box.wake();
  expect(entry.sandbox).not.toBe(before);
  expect(box.status()).toBe('running');
});

for (const change of ['hibernate', 'pause'] as const) {
  test(`a sandbox that is deleted during a ${change} stays deleted`, async () => {
    using box = await begin();
    let open = (): void => undefined;
    box.driver.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const changing = box.enter(change);
    await expect.poll(() => box.driver.calls).toEqual([change]);
    const removing = box.engine.sandboxes.remove(key, box.id);
    const late = expect(box.wake()).rejects.toMatchObject(invalid);
    open();
    await Promise.all([changing, removing, late]);
    expect(() => box.status()).toThrow(box.id);
    expect(box.state.sandboxes.all()).toEqual([]);
    expect(box.told().at(-1)).toBe('deleted');
  });
}

test('a sandbox that is deleted during a wake stays deleted', async () => {
  using box = await begin();
  await box.enter('hibernate');
  let open = (): void => undefined;
  box.driver.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const waking = box.wake();
  await expect.poll(() => box.driver.calls).toContain('wake');
  const removing = box.engine.sandboxes.remove(key, box.id);
  expect(box.status()).toBe('deleted');
  // What drivers do when they are told to give up.
  box.driver.failures.set('wake', new DOMException('This operation was aborted', 'AbortError'));
  open();
  await expect(waking).rejects.toMatchObject(invalid);
  await removing;
  expect(() => box.status()).toThrow(box.id);
});

test('labels, environment and limits change together or not at all', async () => {
  using box = await begin();
  const { sandboxes, events } = box.engine;
  const changed = await sandboxes.change(key, box.id, {
    metadata: { a: '1' },
    env: { TOKEN: 'secret' },
    resources: { pids: 99 },
  });
  expect(changed).toMatchObject({
    metadata: { a: '1' },
    env: { TOKEN: 'secret' },
    resources: { pids: 99, cpu: 1, memory_mb: 1024 },
  });
  expect(events.list(key, box.id).at(-1)).toMatchObject({
    type: 'changed',
    payload: { fields: ['resources', 'metadata', 'env'] },
  });
  await sandboxes.change(key, box.id, { metadata: {} });
  expect(box.driver.calls).toEqual(['reconfigure']);
  box.driver.failures.set('reconfigure', new SandportFault('invalid_request', 'Too small.'));
  const refused = sandboxes.change(key, box.id, { metadata: { b: '2' }, resources: { pids: 8 } });
  await expect(refused).rejects.toMatchObject({ code: 'invalid_request' });
  expect(sandboxes.get(key, box.id)).toMatchObject({ metadata: {}, resources: { pids: 99 } });
});
