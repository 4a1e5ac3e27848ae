import type { SandboxId } from '@sandport/protocol';
import { openState, type State } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { RefusingDriver } from '../testing/refusing-driver.ts';

/** Its removals and take-overs fail on purpose. */
class BrokenDriver extends RefusingDriver {
  readonly removed: SandboxId[] = [];
  failingRemovals = 0;

  override remove(id: SandboxId): Promise<void> {
    if (this.failingRemovals-- > 0) return Promise.reject(new Error('busy'));
    this.removed.push(id);
    return Promise.resolve();
  }
}

const administrator: Principal = { keyId: 'k' };
const start = (state: State, driver: BrokenDriver) => new Engine({ state, driver });

test('a removal that failed hides the sandbox no less, and is tried again when asked', async () => {
  using state = openState(':memory:');
  const driver = new BrokenDriver();
  using engine = start(state, driver);
  const { id } = await engine.sandboxes.create(administrator, {});
  driver.failingRemovals = 1;
  await expect(engine.sandboxes.remove(administrator, id)).rejects.toThrow('busy');
  expect(engine.sandboxes.get(administrator, id).status).toBe('deleted');
  await engine.sandboxes.remove(administrator, id);
  expect(driver.removed).toEqual([id]);
  expect(() => engine.sandboxes.get(administrator, id)).toThrow(id);
  expect(state.sandboxes.all()).toEqual([]);
});

test('a sandbox that cannot be taken over stays, as failed, until it is deleted', async () => {
  using state = openState(':memory:');
  const driver = new BrokenDriver();
  const { id } = await start(state, driver).sandboxes.create(administrator, {});
  using engine = start(state, driver);
  expect(await engine.sandboxes.recover()).toEqual({
    running: 0,
    hibernated: 0,
    failed: 1,
    removed: 0,
  });
  expect(engine.sandboxes.get(administrator, id)).toMatchObject({
    status: 'failed',
    status_reason: expect.stringContaining('taken over'),
  });
  await expect(engine.commands.run(administrator, id, { args: ['true'] })).rejects.toMatchObject({
    code: 'invalid_state',
  });
  await expect(engine.files.reading(administrator, id)).rejects.toThrow(/failed/);
  await engine.sandboxes.remove(administrator, id);
  expect(driver.removed).toEqual([id]);
});

test('what was half made or half removed when the daemon died is gone at the next start', async () => {
  using state = openState(':memory:');
  const driver = new BrokenDriver();
  const first = start(state, driver);
  const half = await first.sandboxes.create(administrator, {});
  const row = state.sandboxes.all()[0];
  if (row === undefined) throw new Error('no row');
  state.sandboxes.update({ ...row, status: 'creating' });
  using engine = start(state, driver);
  expect(await engine.sandboxes.recover()).toEqual({
    running: 0,
    hibernated: 0,
    failed: 0,
    removed: 1,
  });
  expect(() => engine.sandboxes.get(administrator, half.id)).toThrow(half.id);
  expect(state.sandboxes.all()).toEqual([]);
});
