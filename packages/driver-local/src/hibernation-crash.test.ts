import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import type { DriverSandbox, SandboxFiles, SandboxSpec } from '@sandport/driver';
import { parseGuestPath } from '@sandport/protocol';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createLocalDriver } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { killSandbox, removeRuntimeState } from './sandbox/end-processes.ts';
import { readRecord } from './sandbox/record.ts';
import { unmountRoot } from './sandbox/root-mount.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';

const dataDir = testDataDir('hibernation-crash');
const layout = new Layout(dataDir);
const open = () => createLocalDriver({ dataDir, templatesDir });
const driver = await open();
const { isolations } = driver;
await driver[Symbol.asyncDispose]();

/** A counter that never says a number twice, unless its memory comes back a second time. */
const counter = 'i=0; while :; do i=$((i+1)); echo $i >> /tmp/count; sleep 0.01; done';

/** Hibernates and wakes one sandbox without end, in a process that is then killed. */
const churn = `
import { createLocalDriver } from '@sandport/driver-local';
const [dataDir, templatesDir, spec] = process.argv.slice(1);
const driver = await createLocalDriver({ dataDir, templatesDir });
const { running } = await driver.adopt({ sandboxes: [JSON.parse(spec)], snapshots: [] });
const { id } = JSON.parse(spec);
if (running.length === 0) await driver.wake(JSON.parse(spec));
console.log('ready');
for (;;) {
  await driver.hibernate(id);
  await driver.wake(JSON.parse(spec));
}
`;

/** Kills the process that hibernates and wakes a sandbox, some time after it began. */
async function killAfter(spec: SandboxSpec, afterMs: number): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', churn, dataDir, templatesDir, JSON.stringify(spec)],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  await sleep(afterMs);
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function readText(files: SandboxFiles, path: string): Promise<string> {
  await using file = await files.open(parseGuestPath(path));
  return text(file.stream());
}

async function numbers(files: SandboxFiles): Promise<number[]> {
  return (await readText(files, '/tmp/count')).trim().split('\n').map(Number);
}

/** Processes that are the first of a life of the sandbox. */
function lives(id: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const ofGvisor = words.includes('boot') && words.includes(id);
      return ofGvisor || (words[0] === '/run/sandport/init' && inGroup(pid, id));
    } catch {
      return false;
    }
  }).length;
}

const inGroup = (pid: string, id: string) =>
  readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(id);

async function startCounter({ commands }: DriverSandbox): Promise<void> {
  const command = await commands.start({ args: ['sh', '-c', counter] });
  command.stdout.destroy();
  command.stderr.destroy();
  command.exit.catch(() => {});
}

describe.each(isolations)('a daemon killed while it hibernates and wakes, %s', (isolation) => {
  const hasMemory = isolation === 'gvisor';
  afterEach(async () => {
    await using next = await open();
    await next.adopt({ sandboxes: [], snapshots: [] });
  });

  test('leaves one life or an image, and no moment comes twice', async () => {
    const spec = testSpec(isolation);
    const first = await open();
    await first.adopt({ sandboxes: [], snapshots: [] });
    await startCounter(await first.create(spec));
    await first[Symbol.asyncDispose]();
    let kept = 0;
    const rounds = [20, 60, 110, 160, 220, 280, 340, 410, 480, 560];
    for (const afterMs of rounds) {
      await killAfter(spec, afterMs);
      await using next = await open();
      const report = await next.adopt({ sandboxes: [spec], snapshots: [] });
      expect(report.lost).toEqual([]);
      expect(report.running.length + report.stopped.length).toBe(1);
      expect(lives(spec.id)).toBe(report.running.length);
      const [stopped] = report.stopped;
      if (stopped) expect(stopped.hibernation).toBeDefined();
      const { sandbox, memory } = stopped
        ? await next.wake(spec)
        : { sandbox: report.running[0], memory: true };
      if (!sandbox) throw new Error('it is there');
      if (stopped) expect(memory).toBe(stopped.hibernation?.memory);
      const before = (await numbers(sandbox.files)).length;
      await sleep(150);
      const after = await numbers(sandbox.files);
      expect(new Set(after).size).toBe(after.length);
      if (after.length > before) kept += 1;
      else await restartCounter(sandbox, after.length);
      expect(existsSync(layout.sandbox(spec.id).memory)).toBe(false);
    }
    // Whatever the moment, nearly always the processes are there again.
    if (hasMemory) expect(kept).toBeGreaterThanOrEqual(rounds.length - 3);
    await using last = await open();
    await last.adopt({ sandboxes: [], snapshots: [] });
    expect(await leftovers(layout)).toEqual([]);
  }, 120_000);

  test('and a restart of the machine leave disk and memory to wake from', async () => {
    const spec = testSpec(isolation);
    const first = await open();
    await first.adopt({ sandboxes: [], snapshots: [] });
    await startCounter(await first.create(spec));
    await sleep(200);
    expect((await first.hibernate(spec.id)).hibernation.memory).toBe(hasMemory);
    await first[Symbol.asyncDispose]();
    await forgetMachine(spec.id);
    await using next = await open();
    const report = await next.adopt({ sandboxes: [spec], snapshots: [] });
    expect(report.stopped[0]?.hibernation).toEqual({ memory: hasMemory });
    const before = await numbers(report.stopped[0]?.files ?? fail());
    const woken = await next.wake(spec);
    expect(woken.memory).toBe(hasMemory);
    expect(woken.fallback).toBeUndefined();
    await sleep(200);
    const after = await numbers(woken.sandbox.files);
    expect(new Set(after).size).toBe(after.length);
    expect(after.length > before.length).toBe(hasMemory);
  });

  test.for<[string, (file: string) => void]>([
    ['cut off', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 50_000))],
    ['changed', (file: string) => writeFileSync(file, readFileSync(file).fill(7, 60_000, 60_100))],
    ['empty', (file: string) => writeFileSync(file, '')],
    ['gone', (file: string) => rmSync(file)],
  ])('an image that is %s: a start from the disk, with the reason', async ([, damage], context) => {
    if (!hasMemory) context.skip('the isolation does not keep memory');
    const spec = testSpec(isolation);
    await using next = await open();
    await next.adopt({ sandboxes: [], snapshots: [] });
    await startCounter(await next.create(spec));
    await sleep(100);
    await next.hibernate(spec.id);
    damage(join(layout.sandbox(spec.id).memory, 'checkpoint.img'));
    const woken = await next.wake(spec);
    expect(woken.memory).toBe(false);
    expect(woken.fallback).toMatch(/memory/);
    const command = await woken.sandbox.commands.start({ args: ['echo', 'up'] });
    expect(await text(command.stdout)).toBe('up\n');
    expect(existsSync(layout.sandbox(spec.id).memory)).toBe(false);
    expect(readRecord(layout.sandbox(spec.id).record)?.sleep).toBeUndefined();
    await next.remove(spec.id);
    expect(await leftovers(layout)).toEqual([]);
  });
});

async function restartCounter(sandbox: DriverSandbox, from: number): Promise<void> {
  const script = counter.replace('i=0', `i=${1_000_000 + from}`);
  const command = await sandbox.commands.start({ args: ['sh', '-c', script] });
  command.stdout.destroy();
  command.stderr.destroy();
  command.exit.catch(() => {});
}

/** As a restart of the machine: no processes, no mounts, no run directory. */
async function forgetMachine(id: string): Promise<void> {
  await killSandbox(layout.sandbox(id), undefined);
  await unmountRoot(layout.sandbox(id));
  removeRuntimeState(layout, id);
  for (const path of [layout.sandbox(id).control, layout.sandbox(id).bundle])
    rmSync(path, { recursive: true, force: true });
}

function fail(): never {
  throw new Error('the sandbox was not found');
}

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
