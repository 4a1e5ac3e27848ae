import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CreateStep, createSteps } from '../context.ts';
import { makeContext } from '../create-local-driver.ts';
import { Layout } from '../layout.ts';
import { LocalDriver } from '../local-driver.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from '../testing/test-machine.ts';
import { interfacePrefixOf } from './names.ts';

const dataDir = testDataDir('failed-network');
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
const network = { egress: 'allowlist' as const, allow: ['a.test'], bandwidth_mbps: 10 };
const interfaces = () =>
  readdirSync('/sys/class/net').filter((name) => name.startsWith(interfacePrefixOf(layout.hash)));
const table = () =>
  execFileSync('nft', ['list', 'table', 'inet', `sandport_${layout.hash}`], { encoding: 'utf8' });

beforeAll(() => driver.adopt({ sandboxes: [], snapshots: [] }));

describe.each(driver.isolations)('with a network, %s', (isolation) => {
  const after = createSteps.slice(createSteps.indexOf('network') + 1);

  test.each(after)('a create that fails at %s leaves nothing in the kernel', async (step) => {
    failAt = step;
    const failure = await driver.create(testSpec(isolation, { network })).catch((error) => error);
    failAt = undefined;
    expect(failure).toMatchObject({ details: { reason: `broken at ${step}` } });
    expect(interfaces()).toEqual([]);
    expect(table()).not.toMatch(/guest_|pinned_|ports_/);
    expect(await leftovers(layout)).toEqual([]);
  });

  test('one that sleeps keeps its place when it cannot be woken', async () => {
    const spec = testSpec(isolation, { network });
    await driver.create(spec);
    await driver.hibernate(spec.id);
    const place = context.held.get(spec.id)?.record.network?.index;
    failAt = 'bundle';
    await expect(driver.wake(spec)).rejects.toMatchObject({ code: 'create_failed' });
    failAt = undefined;
    expect(interfaces()).toEqual([]);
    const { sandbox } = await driver.wake(spec);
    expect(sandbox.network).toBe('attached');
    expect(context.held.get(spec.id)?.record.network?.index).toBe(place);
    await driver.remove(spec.id);
    expect(interfaces()).toEqual([]);
  });
});

afterAll(async () => {
  await driver[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
  expect(table).toThrow();
});
