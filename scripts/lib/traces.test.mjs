import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeTraces } from './leftovers.mjs';
import { isAlive, processStartTime } from './process-identity.mjs';
import { run } from './run.mjs';
import { runVariable } from './run-marker.mjs';
import { dataDirKey, tracesOf } from './traces.mjs';

let marker;
beforeEach(() => {
  const tempDir = mkdtempSync(join(tmpdir(), 'sandport-traces-'));
  marker = { runId: `traces-test-${process.pid}-${Date.now()}`, tempDir };
});
afterEach(() => rmSync(marker.tempDir, { recursive: true, force: true }));

/** A process that ignores SIGTERM and carries the run's id in its environment. */
async function startStubborn() {
  const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, [runVariable]: marker.runId },
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return { pid: child.pid, startTime: processStartTime(child.pid) };
}

const hasNothing = (traces) => Object.values(traces).every((items) => items.length === 0);

test('finds a process by the id in its environment and ends only that', async () => {
  expect(hasNothing(tracesOf(marker))).toBe(true);
  const ours = await startStubborn();
  const other = { ...marker, runId: 'another-run' };
  expect(tracesOf(marker).processes.map(({ pid }) => pid)).toContain(ours.pid);
  expect(tracesOf(other).processes.map(({ pid }) => pid)).not.toContain(ours.pid);
  await removeTraces(marker);
  expect(isAlive(ours)).toBe(false);
  expect(hasNothing(tracesOf(marker))).toBe(true);
});

test('finds and removes mounts, also one on top of another, and files', async (context) => {
  const mountPoint = join(marker.tempDir, 'data dir');
  mkdirSync(mountPoint);
  const mounted = await run('mount', ['-t', 'tmpfs', 'none', mountPoint]);
  if (mounted.code !== 0) context.skip('mounting needs root');
  mkdirSync(join(mountPoint, 'inner'));
  await run('mount', ['-t', 'tmpfs', 'none', join(mountPoint, 'inner')]);
  await run('mount', ['-t', 'tmpfs', 'none', mountPoint]);
  writeFileSync(join(mountPoint, 'file'), 'x');
  expect(tracesOf(marker).mounts).toHaveLength(3);
  await removeTraces(marker);
  expect(tracesOf(marker).mounts).toEqual([]);
  expect(existsSync(marker.tempDir)).toBe(false);
});

test('finds a mount of layers that are gone, wherever it is', async (context) => {
  const elsewhere = mkdtempSync('/var/tmp/sandport-traces-');
  const layers = ['lower', 'upper', 'work'].map((name) => join(marker.tempDir, name));
  for (const each of layers) mkdirSync(each);
  const [lower, upper, work] = layers;
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  try {
    const mounted = await run('mount', ['-t', 'overlay', '-o', options, 'none', elsewhere]);
    if (mounted.code !== 0) context.skip('mounting an overlay needs root, and a disk below it');
    rmSync(upper, { recursive: true });
    expect(tracesOf(marker).mounts).toEqual([elsewhere]);
    await removeTraces(marker);
    expect(tracesOf(marker).mounts).toEqual([]);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test('finds and removes a cgroup with a process in it, by the data directory’s key', async (context) => {
  const dataDir = join(marker.tempDir, 'data');
  mkdirSync(dataDir);
  const hierarchy = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find((path) =>
    existsSync(join(path, 'cgroup.procs')),
  );
  const parent = join(hierarchy ?? '/sys/fs/cgroup', 'sandport', dataDirKey(dataDir));
  try {
    mkdirSync(join(parent, 'box'), { recursive: true });
  } catch {
    context.skip('making a cgroup needs root and a writable hierarchy');
  }
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const identity = { pid: child.pid, startTime: processStartTime(child.pid) };
  writeFileSync(join(parent, 'box/cgroup.procs'), String(child.pid));
  expect(tracesOf(marker).processes.map(({ pid }) => pid)).toEqual([child.pid]);
  expect(tracesOf(marker).cgroups).toContain(join(parent, 'box'));
  await removeTraces(marker);
  expect(isAlive(identity)).toBe(false);
  expect(existsSync(parent)).toBe(false);
});
