import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  detectCgroups,
  killCgroup,
  listCgroupProcesses,
  readCgroupOomKills,
  removeCgroup,
} from './cgroups.ts';
import { isAlive, processStartTime } from './process-identity.ts';
import { notRoot } from './testing/scratch.ts';

const { mode, hierarchies } = await detectCgroups();
const name = `sandport-test-${process.pid}`;

test('the mode fits the hierarchies', () => {
  const versions = new Set(hierarchies.map((hierarchy) => hierarchy.version));
  const expected = versions.size === 2 ? 'hybrid' : versions.has(2) ? 'v2' : 'v1';
  expect(mode).toBe(versions.size === 0 ? 'none' : expected);
});

test.skipIf(notRoot !== undefined || mode === 'none')(
  'processes of a group are found and killed, the group is removed',
  async () => {
    const sleeper = spawn('sleep', ['1000']);
    await once(sleeper, 'spawn');
    const pid = sleeper.pid ?? 0;
    try {
      const joined: string[] = [];
      for (const { mountPoint } of hierarchies) {
        try {
          mkdirSync(join(mountPoint, name));
          writeFileSync(join(mountPoint, name, 'cgroup.procs'), `${pid}\n`);
          joined.push(mountPoint);
        } catch {
          // cpuset of v1 takes no process before it is set up; read-only hierarchies take none.
        }
      }
      expect(joined.length).toBeGreaterThan(0);
      expect(await listCgroupProcesses(name)).toEqual([pid]);
      expect(await readCgroupOomKills(name)).toBe(0);
      await expect(removeCgroup(name, { timeoutMs: 50 })).rejects.toThrow('EBUSY');
      const startTime = processStartTime(pid) ?? 0;
      expect(isAlive(pid, startTime)).toBe(true);
      expect(isAlive(pid, startTime + 1)).toBe(false);
      const exit = once(sleeper, 'exit');
      expect(await killCgroup(name)).toBe(true);
      await exit;
      expect(isAlive(pid, startTime)).toBe(false);
      expect(await killCgroup(name)).toBe(false);
    } finally {
      sleeper.kill('SIGKILL');
      await removeCgroup(name);
    }
    await removeCgroup(name);
    const left = hierarchies.filter(({ mountPoint }) => existsSync(join(mountPoint, name)));
    expect(left).toEqual([]);
  },
);

test('paths that could leave the hierarchy are refused', async () => {
  for (const path of ['', '/', '..', 'a/../b', './a']) {
    await expect(removeCgroup(path)).rejects.toThrow(TypeError);
    await expect(killCgroup(path)).rejects.toThrow(TypeError);
  }
});
