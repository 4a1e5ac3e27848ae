import { SandportFault, snapshotNameSchema } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { CopyingDriver } from '../testing/copying-driver.ts';

const key: Principal = { keyId: 'k' };
const never = new Promise<never>(() => undefined);
const full = new SandportFault('disk_full', 'The disk is full.');

test('a snapshot that fails is gone, and its name free again', async () => {
  using state = openState(':memory:');
  const driver = new CopyingDriver();
  using engine = new Engine({ state, driver });
  const { id, template } = await engine.sandboxes.create(key, {});
  const name = { name: snapshotNameSchema.parse('one') };
  driver.failures.set('freeze', full);
  await expect(engine.snapshots.create(key, id, name)).rejects.toBe(full);
  expect(state.snapshots.all()).toEqual([]);
  driver.failures.clear();
  expect(await engine.snapshots.create(key, id, name)).toMatchObject({ name: 'one', template });
});

test('what is half frozen or half removed when the daemon dies is gone at the next start', async () => {
  using state = openState(':memory:');
  const driver = new CopyingDriver();
  using engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  const kept = await engine.snapshots.create(key, id, {});
  const removed = await engine.snapshots.create(key, id, {});
  driver.gate = never;
  void engine.snapshots.create(key, id, {});
  void engine.snapshots.remove(key, removed.id);
  await expect.poll(() => state.snapshots.all()).toHaveLength(3);
  // Nobody finds what is not whole.
  expect(engine.snapshots.list(key).map((each) => each.id)).toEqual([kept.id]);
  using next = new Engine({ state, driver: new CopyingDriver() });
  await next.sandboxes.recover();
  expect(state.snapshots.all().map((each) => each.id)).toEqual([kept.id]);
});

test('a removal waits for the sandbox that is made from the snapshot', async () => {
  using state = openState(':memory:');
  const driver = new CopyingDriver();
  using engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  const snapshot = await engine.snapshots.create(key, id, {});
  let open = (): void => undefined;
  driver.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const creating = engine.sandboxes.create(key, { from_snapshot: snapshot.id });
  await expect.poll(() => driver.calls.filter((call) => call === 'create')).toHaveLength(2);
  const removing = engine.snapshots.remove(key, snapshot.id);
  expect(() => engine.snapshots.get(key, snapshot.id)).toThrow(snapshot.id);
  await expect(engine.sandboxes.create(key, { from_snapshot: snapshot.id })).rejects.toMatchObject({
    code: 'snapshot_not_found',
  });
  expect(driver.calls).not.toContain('thaw');
  open();
  expect(await creating).toMatchObject({ from_snapshot: snapshot.id, status: 'running' });
  await removing;
  expect(driver.calls).toContain('thaw');
});

test('a restore that failed leaves the sandbox as it is: running, stopped or hibernated', async () => {
  using state = openState(':memory:');
  const driver = new CopyingDriver();
  using engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  const { id: snapshot } = await engine.snapshots.create(key, id, {});
  const broken = new SandportFault('create_failed', 'It did not begin.');
  const restore = () => engine.snapshots.restore(key, id, snapshot);
  driver.failures.set('restore', broken);
  await expect(restore()).rejects.toBe(broken);
  expect(engine.sandboxes.get(key, id).status).toBe('running');
  await engine.sandboxes.enter(key, id, 'hibernate');
  driver.runsOn = false;
  await expect(restore()).rejects.toBe(broken);
  expect(engine.sandboxes.get(key, id).status).toBe('hibernated');
  await engine.sandboxes.wake(key, id);
  await expect(restore()).rejects.toBe(broken);
  expect(engine.sandboxes.get(key, id)).toMatchObject({
    status: 'failed',
    status_reason: expect.stringContaining('It did not begin.'),
  });
  // Its files are there, and it can be restored again.
  await engine.files.reading(key, id);
  driver.failures.clear();
  expect(await restore()).toMatchObject({ status: 'running', woken: true, memory: false });
});
