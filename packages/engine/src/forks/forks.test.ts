import { SandportFault } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { CopyingDriver } from '../testing/copying-driver.ts';

const key: Principal = { keyId: 'k' };
const full = new SandportFault('disk_full', 'The disk is full.');

test('children that fail are told beside the others, and nothing is left of them', async () => {
  using state = openState(':memory:');
  const driver = new CopyingDriver();
  using engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  driver.stillborn.set(0, full);
  driver.stillborn.set(2, full);
  const forked = await engine.forks.fork(key, id, { count: 4 });
  expect(forked.children).toHaveLength(2);
  expect(forked.errors).toEqual([
    { index: 0, err: full.message, code: 'disk_full' },
    { index: 2, err: full.message, code: 'disk_full' },
  ]);
  expect(engine.sandboxes.list(key, {}).sandboxes).toHaveLength(3);
  expect(state.sandboxes.all()).toHaveLength(3);
});

test('when all children fail, the first failure is the answer', async () => {
  using state = openState(':memory:');
  const driver = new CopyingDriver();
  using engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  driver.stillborn.set(0, full);
  await expect(engine.forks.fork(key, id, { count: 1 })).rejects.toBe(full);
  driver.failures.set('fork', new Error('the driver broke'));
  await expect(engine.forks.fork(key, id, { count: 3 })).rejects.toThrow('the driver broke');
  expect(state.sandboxes.all().map((row) => row.id)).toEqual([id]);
  expect(engine.sandboxes.get(key, id).status).toBe('running');
});

test('children beyond the limit are told, those below it are made', async () => {
  using state = openState(':memory:');
  using engine = new Engine({ state, driver: new CopyingDriver(), maxSandboxes: 3 });
  const { id } = await engine.sandboxes.create(key, {});
  const { children, errors = [] } = await engine.forks.fork(key, id, { count: 4 });
  expect(children).toHaveLength(2);
  expect(errors.map(({ index, code }) => [index, code])).toEqual([
    [2, 'limit_reached'],
    [3, 'limit_reached'],
  ]);
  await expect(engine.forks.fork(key, id, { count: 1 })).rejects.toMatchObject({
    code: 'limit_reached',
  });
});

test('a fork whose client went away leaves no child', async () => {
  using state = openState(':memory:');
  const driver = new CopyingDriver();
  using engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  const abort = new AbortController();
  let open = (): void => undefined;
  driver.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const forking = engine.forks.fork(key, id, { count: 2 }, { signal: abort.signal });
  const failed = expect(forking).rejects.toMatchObject({ code: 'fork_failed' });
  await expect.poll(() => state.sandboxes.all()).toHaveLength(3);
  abort.abort();
  open();
  await failed;
  expect(state.sandboxes.all().map((row) => row.id)).toEqual([id]);
  expect(driver.calls.filter((call) => call === 'remove')).toHaveLength(2);
});

test('what is half forked when the daemon dies is gone at the next start', async () => {
  using state = openState(':memory:');
  const driver = new CopyingDriver();
  using engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  driver.gate = new Promise(() => undefined);
  void engine.forks.fork(key, id, { count: 2 });
  await expect.poll(() => state.sandboxes.all()).toHaveLength(3);
  using next = new Engine({ state, driver: new CopyingDriver() });
  expect(await next.sandboxes.recover()).toMatchObject({ removed: 2, failed: 1 });
  expect(next.sandboxes.list(key, {}).sandboxes.map((each) => each.id)).toEqual([id]);
});

test('siblings that cannot be deleted are told', async () => {
  using state = openState(':memory:');
  const driver = new CopyingDriver();
  using engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  const { children, tree_id } = await engine.forks.fork(key, id, { count: 2 });
  const [winner, sibling] = children.map((child) => child.id);
  driver.failures.set('remove', new Error('busy, said the kernel at /some/path'));
  const request = { tree_id, cleanup_siblings: true };
  const promoted = await engine.forks.promote(key, winner ?? '', request);
  expect(promoted).toMatchObject({ winner, tree_id, deleted: [] });
  expect(promoted.failures).toEqual([{ id: sibling, error: expect.not.stringContaining('/some') }]);
});
