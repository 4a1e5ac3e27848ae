import { readdirSync, rmSync } from 'node:fs';
import { SandportFault, volumeNameSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CreateStep, createSteps } from './context.ts';
import { makeContext } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { LocalDriver } from './local-driver.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';

const dataDir = testDataDir('failed-create');
const layout = new Layout(dataDir);
let failAt: CreateStep | undefined;
const context = await makeContext(
  { dataDir, templatesDir },
  {
    onStep: (step) => {
      if (step === failAt) throw new Error(`broken at ${step}`);
    },
  },
);
const driver = new LocalDriver(context);
const descriptors = () => readdirSync('/proc/self/fd').length;

describe.each(driver.isolations)('a create that fails half-way, %s', (isolation) => {
  beforeAll(async () => {
    await driver.adopt({ sandboxes: [], snapshots: [] });
    const spec = testSpec(isolation);
    await driver.create(spec);
    await driver.remove(spec.id);
  });

  test.each(createSteps)('at %s leaves nothing behind', async (step) => {
    const before = descriptors();
    const spec = testSpec(isolation, {
      volumes: [{ name: volumeNameSchema.parse('cargo') }],
      limits: { cpu: 1, memoryBytes: 256 * 1024 * 1024, pids: 32, diskBytes: 64 * 1024 * 1024 },
    });
    failAt = step;
    const failure = await driver.create(spec).catch((error: unknown) => error);
    failAt = undefined;
    expect(failure).toBeInstanceOf(SandportFault);
    expect(failure).toMatchObject({
      code: 'create_failed',
      details: { reason: `broken at ${step}` },
    });
    expect(await leftovers(layout)).toEqual([]);
    // The spare user namespaces and the thread pool may open and close a few meanwhile.
    expect(descriptors() - before).toBeLessThanOrEqual(4);
  });

  test('tells the last words of a runtime that refuses', async () => {
    const runtime = context.runtimes.get(isolation);
    if (!runtime) throw new Error('the isolation has a runtime');
    const runtimes = new Map([[isolation, { ...runtime, flags: ['--no-such-flag'] }]]);
    const broken = new LocalDriver({ ...context, runtimes });
    const failure = await broken.create(testSpec(isolation)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'create_failed' });
    expect(await leftovers(layout)).toEqual([]);
  });
});

test('an isolation works on this machine', () => {
  expect(driver.isolations).not.toEqual([]);
});

afterAll(async () => {
  await driver[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
  expect(await leftovers(layout)).toEqual([]);
});
