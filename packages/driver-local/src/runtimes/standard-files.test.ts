import { rmSync, statSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { createLocalDriver } from '../create-local-driver.ts';
import { Layout } from '../layout.ts';
import { templatesDir, testDataDir, testSpec } from '../testing/test-machine.ts';

const dataDir = testDataDir('standard-files');
const driver = await createLocalDriver({ dataDir, templatesDir });
await driver.adopt({ sandboxes: [], snapshots: [] });
afterAll(async () => {
  await driver[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
  rmSync(new Layout(dataDir).runDir, { recursive: true, force: true });
});

/** Changes with every change of the owner, also with one to the same owner. */
const ownership = () => {
  const { uid, gid, mode, ctimeMs } = statSync('/dev/null');
  return { uid, gid, mode, ctimeMs };
};

test.each(driver.isolations)('/dev/null of the host stays what it is, %s', async (isolation) => {
  const before = ownership();
  const spec = testSpec(isolation);
  await driver.create(spec);
  await driver.remove(spec.id);
  expect(ownership()).toEqual(before);
});
