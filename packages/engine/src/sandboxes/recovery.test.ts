import type { AdoptionReport } from '@sandport/driver';
import type { EventType, SandboxId, SandboxStatus } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { FindingDriver, type StatesDriver } from '../testing/states-driver.ts';

const key: Principal = { keyId: 'k' };

/** What a driver can find of a sandbox. */
const findings = {
  running: (driver, id) => ({ running: [driver.processes(id)] }),
  paused: (driver, id) => ({ running: [driver.processes(id, true)] }),
  'hibernated with memory': (driver, id) => ({
    stopped: [{ ...driver.disk(id, 'asleep'), hibernation: { memory: true } }],
  }),
  'hibernated without memory': (driver, id) => ({
    stopped: [{ ...driver.disk(id, 'asleep'), hibernation: { memory: false } }],
  }),
  dead: (driver, id) => ({ stopped: [driver.disk(id, 'its init ended')] }),
  lost: (_driver, id) => ({ lost: [id] }),
  nothing: () => ({}),
} satisfies Record<string, (driver: StatesDriver, id: SandboxId) => Partial<AdoptionReport>>;

type Finding = keyof typeof findings;

/** Row before, what the driver finds, status after, events that tell of the difference. */
const cases: [SandboxStatus, Finding, SandboxStatus | 'gone', EventType[]][] = [
  ['running', 'running', 'running', []],
  ['running', 'paused', 'paused', ['paused']],
  ['running', 'hibernated with memory', 'hibernated', ['hibernated']],
  ['running', 'hibernated without memory', 'hibernated', ['hibernated']],
  ['running', 'dead', 'failed', ['failed']],
  ['running', 'lost', 'failed', ['failed']],
  ['running', 'nothing', 'gone', ['deleted']],
  ['paused', 'running', 'running', ['resumed']],
  ['paused', 'paused', 'paused', []],
  ['paused', 'hibernated with memory', 'hibernated', ['hibernated']],
  ['paused', 'dead', 'failed', ['failed']],
  ['hibernated', 'running', 'running', ['woken']],
  ['hibernated', 'hibernated with memory', 'hibernated', []],
  ['hibernated', 'hibernated without memory', 'hibernated', []],
  ['hibernated', 'dead', 'failed', ['failed']],
  ['hibernated', 'lost', 'failed', ['failed']],
  ['failed', 'running', 'running', ['woken']],
  ['failed', 'dead', 'failed', []],
  ['failed', 'lost', 'failed', []],
  ['failed', 'hibernated with memory', 'hibernated', ['hibernated']],
  ['creating', 'running', 'gone', []],
  ['creating', 'nothing', 'gone', []],
  ['deleted', 'running', 'gone', ['deleted']],
  ['deleted', 'dead', 'gone', ['deleted']],
];

test.each(cases)('%s, found %s, is %s', async (before, finding, after, told) => {
  using state = openState(':memory:');
  const driver = new FindingDriver(findings[finding]);
  using first = new Engine({ state, driver });
  const { id } = await first.sandboxes.create(key, {});
  const row = first.sandboxes.find(key, id).row;
  const memory = before === 'hibernated' ? { memory: true } : {};
  const reason = before === 'failed' ? { statusReason: 'an older reason' } : {};
  state.sandboxes.update({ ...row, ...memory, ...reason, status: before });

  using engine = new Engine({ state, driver });
  await engine.recover();
  const found = engine.sandboxes.registry.byId(id)?.row;
  expect(found?.status ?? 'gone').toBe(after);
  expect(state.sandboxes.all().map(({ status }) => status)).toEqual(
    after === 'gone' ? [] : [after],
  );
  const types = engine.events.list(key, id).map(({ type }) => type);
  expect(types).toEqual(['created', ...told]);
  if (after === 'hibernated') expect(found?.memory).toBe(finding === 'hibernated with memory');
  else expect(found?.memory).toBeUndefined();
  if (after === 'failed')
    expect(found?.statusReason).toMatch(
      before === 'failed' ? 'an older reason' : finding === 'dead' ? 'init ended' : 'taken over',
    );
  else expect(found?.statusReason).toBeUndefined();
  if (before === 'hibernated' && after === 'running') expect(found?.bootMode).toBe('memory');
});

test('a running sandbox keeps the reason why it began afresh', async () => {
  using state = openState(':memory:');
  const driver = new FindingDriver(findings.running);
  using first = new Engine({ state, driver });
  const { id } = await first.sandboxes.create(key, {});
  const row = first.sandboxes.find(key, id).row;
  state.sandboxes.update({ ...row, statusReason: 'the image was damaged' });
  using engine = new Engine({ state, driver });
  await engine.recover();
  expect(engine.sandboxes.get(key, id).status_reason).toBe('the image was damaged');
});
