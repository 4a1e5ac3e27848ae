import { rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { createLocalDriver } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';

const dataDir = testDataDir('many');
const layout = new Layout(dataDir);
const driver = await createLocalDriver({ dataDir, templatesDir });
await driver.adopt({ sandboxes: [], snapshots: [] });

describe.each(driver.isolations)('many sandboxes at once, %s', (isolation) => {
  test('50 creates and 50 removes all succeed', { timeout: 240_000 }, async () => {
    const specs = Array.from({ length: 50 }, () => testSpec(isolation));
    const sandboxes = await Promise.all(specs.map((spec) => driver.create(spec)));
    const exits = await Promise.all(
      sandboxes.map(async ({ commands }) => {
        const command = await commands.start({ args: ['true'] });
        command.stdout.resume();
        command.stderr.resume();
        return (await command.exit).exitCode;
      }),
    );
    expect(exits.every((code) => code === 0)).toBe(true);
    await Promise.all(specs.map(({ id }) => driver.remove(id)));
    expect(await leftovers(layout)).toEqual([]);
  });

  test('creates and removes that cross each other leave nothing', async () => {
    await Promise.all(
      Array.from({ length: 16 }, async (_, index) => {
        const spec = testSpec(isolation);
        const creating = driver.create(spec).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, index * 25));
        await driver.remove(spec.id);
        await creating;
        await driver.remove(spec.id);
      }),
    );
    expect(await leftovers(layout)).toEqual([]);
  });
});

test('an isolation works on this machine', () => {
  expect(driver.isolations).not.toEqual([]);
});

afterAll(async () => {
  await driver[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});
