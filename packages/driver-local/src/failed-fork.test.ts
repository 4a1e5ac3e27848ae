import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Driver, SandboxSpec } from '@sandport/driver';
import { createDiskImage, unmount } from '@sandport/linux';
import { SandportFault, snapshotIdSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CreateStep, createSteps } from './context.ts';
import { makeContext } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { LocalDriver } from './local-driver.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';

const mebibyte = 2 ** 20;

/** Everything that is there beside the sandbox. */
const others = (layout: Layout, { id }: SandboxSpec): string[] =>
  [layout.sandboxes, layout.roots, layout.controls, layout.snapshots, layout.staging, layout.trash]
    .flatMap((directory) => readdirSync(directory))
    .filter((name) => name !== id);

const isAlive = async (driver: Driver, spec: SandboxSpec): Promise<boolean> => {
  const { children } = await driver.fork(spec.id, [testSpec(spec.isolation)]);
  const [child] = children;
  if (child === undefined || child instanceof SandportFault) return false;
  await driver.remove(child.id);
  return true;
};

describe('a fork that fails half-way', { timeout: 60_000 }, () => {
  const dataDir = testDataDir('failed-fork');
  const layout = new Layout(dataDir);
  let failAt: CreateStep | undefined;
  let driver: Driver;
  let spec: SandboxSpec;

  beforeAll(async () => {
    const onStep = (step: CreateStep) => {
      if (step === failAt) throw new Error(`broken at ${step}`);
    };
    driver = new LocalDriver(await makeContext({ dataDir, templatesDir }, { onStep }));
    await driver.adopt({ sandboxes: [], snapshots: [] });
    const [isolation] = driver.isolations;
    if (isolation === undefined) throw new Error('no isolation works here');
    spec = testSpec(isolation);
    await driver.create(spec);
  }, 60_000);
  afterAll(async () => {
    await driver.remove(spec.id);
    await driver[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
    expect(await leftovers(layout)).toEqual([]);
  });

  test.each(createSteps)('at %s leaves nothing of the children', async (step) => {
    failAt = step;
    const children = [testSpec(spec.isolation), testSpec(spec.isolation)];
    const failure = await driver.fork(spec.id, children).catch((error: unknown) => error);
    failAt = undefined;
    expect(failure).toBeInstanceOf(SandportFault);
    expect(failure).toMatchObject({ code: 'fork_failed' });
    expect(others(layout, spec)).toEqual([]);
  });

  test('leaves the parent as it was', async () => {
    expect(await isAlive(driver, spec)).toBe(true);
  });
});

describe('a full disk', { timeout: 60_000 }, () => {
  const home = testDataDir('full-fork');
  const dataDir = join(home, 'disk', 'data');
  const layout = new Layout(dataDir);
  let driver: Driver;
  let spec: SandboxSpec;

  beforeAll(async () => {
    mkdirSync(join(home, 'disk'), { recursive: true });
    const file = join(home, 'image');
    await createDiskImage({ file, mountPoint: join(home, 'disk'), sizeBytes: 200 * mebibyte });
    driver = new LocalDriver(await makeContext({ dataDir, templatesDir }));
    await driver.adopt({ sandboxes: [], snapshots: [] });
    const [isolation] = driver.isolations;
    if (isolation === undefined) throw new Error('no isolation works here');
    spec = testSpec(isolation);
    const sandbox = await driver.create(spec);
    const command = await sandbox.commands.start({
      args: ['sh', '-c', 'for i in 1 2 3 4; do head -c 20000000 /dev/urandom > $i; done'],
    });
    command.stdout.resume();
    command.stderr.resume();
    await command.exit;
    writeFileSync(join(home, 'disk', 'ballast'), Buffer.alloc(60 * mebibyte, 'x'));
  }, 60_000);
  afterAll(async () => {
    await driver.remove(spec.id);
    await driver[Symbol.asyncDispose]();
    unmount(join(home, 'disk'));
    rmSync(home, { recursive: true, force: true });
  });

  test('ends a fork, of which nothing is left', async () => {
    const children = [testSpec(spec.isolation), testSpec(spec.isolation)];
    const failure = await driver.fork(spec.id, children).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'disk_full' });
    expect(others(layout, spec)).toEqual([]);
  });

  test('ends a snapshot, of which nothing is left', async () => {
    const id = snapshotIdSchema.parse(randomUUID());
    for (const memory of spec.isolation === 'gvisor' ? [false, true] : [false]) {
      const snapshot = driver.snapshots.create(id, spec.id, { memory });
      const failure = await snapshot.catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'disk_full' });
      expect(others(layout, spec)).toEqual([]);
    }
  });

  test('keeps the sandbox, which is forked when there is room', async () => {
    rmSync(join(home, 'disk', 'ballast'));
    expect(await isAlive(driver, spec)).toBe(true);
    expect(others(layout, spec)).toEqual([]);
  });
});
