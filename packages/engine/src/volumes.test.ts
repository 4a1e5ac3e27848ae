import type { Driver } from '@sandport/driver';
import { SandportFault, volumeNameSchema } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from './engine.ts';
import type { Principal } from './principal.ts';
import { defaultNamespace } from './sandboxes/new-row.ts';
import { RefusingDriver } from './testing/refusing-driver.ts';

const key: Principal = { keyId: 'k' };
const name = volumeNameSchema.parse('data');

/** Remembers which volumes it has, and lets a test stop it on the way. */
class VolumesDriver extends RefusingDriver {
  readonly there = new Set<string>();
  gate: Promise<unknown> = Promise.resolve();
  failure: Error | undefined;
  override readonly volumes: Driver['volumes'] = {
    ensure: async (namespace, volume) => {
      await this.gate;
      if (this.failure !== undefined) throw this.failure;
      this.there.add(`${namespace}/${volume}`);
    },
    remove: async (namespace, volume) => {
      await this.gate;
      if (this.failure !== undefined) throw this.failure;
      this.there.delete(`${namespace}/${volume}`);
    },
    files: () => Promise.reject(new Error('not in this test')),
    usage: () => Promise.resolve({ usedBytes: 5 }),
  };
}

function gateOf(driver: VolumesDriver): () => void {
  let open = (): void => undefined;
  driver.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return open;
}

test('a removal that is under way makes way for a new volume, never for a mount of nothing', async () => {
  using state = openState(':memory:');
  const driver = new VolumesDriver();
  using engine = new Engine({ state, driver });
  await engine.volumes.create(key, defaultNamespace, { name });
  const open = gateOf(driver);
  const removing = engine.volumes.remove(key, defaultNamespace, name);
  const creating = engine.sandboxes.create(key, { volumes: [{ name }] });
  open();
  await removing;
  const { id } = await creating;
  expect([...driver.there]).toEqual(['default/data']);
  expect(await engine.volumes.get(key, defaultNamespace, name)).toMatchObject({ used_by: [id] });
  await expect(engine.volumes.remove(key, defaultNamespace, name)).rejects.toMatchObject({
    code: 'volume_in_use',
    details: { sandboxes: [id] },
  });
});

test('a sandbox that is being made uses its volumes already', async () => {
  using state = openState(':memory:');
  const driver = new VolumesDriver();
  using engine = new Engine({ state, driver });
  await engine.volumes.create(key, defaultNamespace, { name });
  const creating = engine.sandboxes.create(key, { volumes: [{ name }] });
  await expect.poll(() => state.sandboxes.all()).toHaveLength(1);
  await expect(engine.volumes.remove(key, defaultNamespace, name)).rejects.toMatchObject({
    code: 'volume_in_use',
  });
  await creating;
});

test('a volume that could not be made is not there; one that could not be removed still is', async () => {
  using state = openState(':memory:');
  const driver = new VolumesDriver();
  using engine = new Engine({ state, driver });
  driver.failure = new SandportFault('disk_full', 'The disk is full.');
  await expect(engine.volumes.create(key, defaultNamespace, { name })).rejects.toBe(driver.failure);
  expect(state.volumes.all()).toEqual([]);
  await expect(engine.sandboxes.create(key, { volumes: [{ name }] })).rejects.toBe(driver.failure);
  expect(state.sandboxes.all()).toEqual([]);
  driver.failure = undefined;
  await engine.volumes.create(key, defaultNamespace, { name, size_mb: 16 });
  driver.failure = new Error('busy');
  await expect(engine.volumes.remove(key, defaultNamespace, name)).rejects.toThrow('busy');
  driver.failure = undefined;
  expect(await engine.volumes.get(key, defaultNamespace, name)).toMatchObject({
    size_mb: 16,
    size_bytes: 5,
  });
  await engine.volumes.remove(key, defaultNamespace, name);
  expect(state.volumes.all()).toEqual([]);
  expect(driver.there.size).toBe(0);
});

test('a volume whose making or removal a dead daemon began is whole when it is used', async () => {
  using state = openState(':memory:');
  state.volumes.ensure(defaultNamespace, name, 2 ** 24);
  const driver = new VolumesDriver();
  using engine = new Engine({ state, driver });
  expect(await engine.volumes.get(key, defaultNamespace, name)).toMatchObject({ size_mb: 16 });
  expect([...driver.there]).toEqual(['default/data']);
});
