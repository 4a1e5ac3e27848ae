import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readCgroupUsage } from './cgroup-usage.ts';
import { detectCgroups, killCgroup, removeCgroup } from './cgroups.ts';
import { notRoot } from './testing/scratch.ts';

const { mode, hierarchies } = await detectCgroups();
const name = `sandport-usage-test-${process.pid}`;
const joined = new Set<string>();

test.skipIf(notRoot !== undefined || mode === 'none')(
  'the use of a group is that of its processes',
  async () => {
    const busy = spawn('sh', ['-c', 'read go; while :; do :; done']);
    await once(busy, 'spawn');
    try {
      for (const { mountPoint, controllers } of hierarchies) {
        try {
          mkdirSync(join(mountPoint, name));
          writeFileSync(join(mountPoint, name, 'cgroup.procs'), `${busy.pid}\n`);
          for (const controller of controllers) joined.add(controller);
        } catch {
          // cpuset of v1 takes no process before it is set up; read-only hierarchies take none.
        }
      }
      const before = await readCgroupUsage(name);
      if (joined.has('pids')) expect(before.tasks).toBe(1);
      busy.stdin.write('go\n');
      if (joined.has('cpuacct') || joined.has('cpu'))
        await vi.waitFor(
          async () => {
            const { cpuSeconds } = await readCgroupUsage(name);
            expect(cpuSeconds).toBeGreaterThan(before.cpuSeconds + 0.05);
          },
          { timeout: 10_000 },
        );
      const { memoryBytes, memoryPeakBytes = Infinity } = await readCgroupUsage(name);
      if (joined.has('memory')) expect(memoryPeakBytes).toBeGreaterThanOrEqual(memoryBytes);
    } finally {
      const ended = once(busy, 'exit');
      busy.kill('SIGKILL');
      await ended;
      await killCgroup(name);
      await removeCgroup(name);
    }
  },
);

test('a group that is not there uses nothing', async () => {
  expect(await readCgroupUsage('sandport-no-such-group')).toEqual({
    cpuSeconds: 0,
    memoryBytes: 0,
    tasks: 0,
  });
});
