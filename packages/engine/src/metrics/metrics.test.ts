import type { SandboxUsage, UsageOptions } from '@sandport/driver';
import { openState, type State } from '@sandport/state';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import { RefusingDriver } from '../testing/refusing-driver.ts';
import { CpuShare } from './cpu-share.ts';
import { History, type Sample } from './history.ts';

const usage: SandboxUsage = {
  pid: 7,
  uptimeSeconds: 10,
  cpuSeconds: 5,
  memoryBytes: 100,
  pids: 3,
  diskBytes: 50,
  networkReceivedBytes: 0,
  networkSentBytes: 0,
};

class MeasuredDriver extends RefusingDriver {
  readonly asked: UsageOptions[] = [];
  answer: () => Promise<SandboxUsage> = () => Promise.resolve(usage);

  override usage = (_id: string, options: UsageOptions = {}): Promise<SandboxUsage> => {
    this.asked.push(options);
    return this.answer();
  };

  override pause = (): Promise<void> => Promise.resolve();
}

const administrator: Principal = { keyId: 'k' };
let state: State;
let driver: MeasuredDriver;
let engine: Engine;

beforeEach(async () => {
  state = openState(':memory:');
  driver = new MeasuredDriver();
  engine = new Engine({ state, driver });
  await engine.recover();
});
afterEach(() => {
  engine[Symbol.dispose]();
  state[Symbol.dispose]();
});

test('the history is of those that have processes and that somebody has asked for', async () => {
  const { id } = await engine.sandboxes.create(administrator, {});
  await engine.pools.set(administrator, 'base', { size: 1 });
  while (engine.pools.get(administrator, 'base').ready < 1)
    await new Promise((resolve) => setImmediate(resolve));
  await engine.metrics.sampleAll();
  expect(driver.asked).toEqual([{ countAgeMs: 60_000 }]);
  const { history, cpu_percent, threads } = await engine.metrics.get(administrator, id);
  expect(history).toMatchObject([{ cpu_percent: 50, memory_bytes: 100, disk_bytes: 50, pids: 3 }]);
  expect({ cpu_percent, threads }).toEqual({ cpu_percent: 50, threads: 3 });
  expect(driver.asked).toHaveLength(2);
  expect((await engine.metrics.get(administrator, id, 0)).history).toEqual([]);
});

test('one that answers late is not asked again meanwhile; one that fails harms nobody', async () => {
  await engine.sandboxes.create(administrator, {});
  let release: (usage: SandboxUsage) => void = () => undefined;
  driver.answer = () => new Promise((resolve) => (release = resolve));
  await engine.metrics.sampleAll();
  await engine.metrics.sampleAll();
  expect(driver.asked).toHaveLength(1);
  release(usage);
  await new Promise((resolve) => setImmediate(resolve));
  driver.answer = () => Promise.reject(new Error('gone'));
  await engine.metrics.sampleAll();
  expect(driver.asked).toHaveLength(2);
});

test('the engine itself needs little time for many sandboxes', async () => {
  await Promise.all(Array.from({ length: 200 }, () => engine.sandboxes.create(administrator, {})));
  await engine.metrics.sampleAll();
  const { user, system } = process.cpuUsage();
  for (let tick = 0; tick < 20; tick++) await engine.metrics.sampleAll();
  const used = process.cpuUsage({ user, system });
  const msPerTick = (used.user + used.system) / 1000 / 20;
  expect(msPerTick).toBeLessThan(10);
});

test('a share is of the time since the look before', () => {
  const share = new CpuShare();
  const at = (cpuSeconds: number, atMs: number, pid: number | undefined = 7) =>
    share.percent({ ...usage, pid, cpuSeconds }, atMs);
  expect(at(5, 0)).toBe(50);
  expect(at(6, 2_000)).toBe(50);
  expect(at(6.4, 2_100)).toBe(50);
  expect(at(10, 4_000)).toBe(200);
  // Other processes: since their start.
  expect(at(1, 6_000, 8)).toBe(10);
  expect(at(0, 8_000, undefined)).toBe(0);
  expect(share.percent({ ...usage, pid: undefined, cpuSeconds: 0 }, 9_000)).toBe(0);
});

test('the history forgets the oldest', () => {
  const history = new History(3);
  expect(history.since(0)).toEqual([]);
  const sample = (atMs: number): Sample => ({
    atMs,
    cpuPercent: atMs / 10,
    memoryBytes: 2 ** 40 + atMs,
    diskBytes: 1,
    pids: 2,
    networkReceivedBytes: 3,
    networkSentBytes: 4,
  });
  for (let atMs = 1; atMs <= 5; atMs++) history.add(sample(atMs));
  expect(history.since(0)).toEqual([sample(3), sample(4), sample(5)]);
  expect(history.since(5)).toEqual([sample(5)]);
});
