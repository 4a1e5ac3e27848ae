import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { detectCgroups } from './cgroups.ts';
import { freezeCgroup, isCgroupFrozen, thawCgroup } from './freezer.ts';
import { notRoot } from './testing/scratch.ts';

const { hierarchies } = await detectCgroups();
const hierarchy =
  hierarchies.find((each) => each.controllers.includes('freezer')) ??
  hierarchies.find((each) => each.version === 2);
const group = `sandport-test-freezer-${process.pid}`;
const directory = join(hierarchy?.mountPoint ?? '', group);

describe.skipIf(notRoot !== undefined || hierarchy === undefined)('the freezer', () => {
  const child = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  beforeAll(() => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'cgroup.procs'), String(child.pid));
  });
  afterAll(async () => {
    await thawCgroup(group);
    child.kill('SIGKILL');
    await sleep(100);
    rmdirSync(directory);
  });
  /** Clock ticks that the process has used. */
  const used = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(' ');
    return Number(fields[13]) + Number(fields[14]);
  };

  test('stops processes, which take no processor time until they are thawed', async () => {
    expect(await isCgroupFrozen(group)).toBe(false);
    await freezeCgroup(group);
    await freezeCgroup(group);
    expect(await isCgroupFrozen(group)).toBe(true);
    const before = used();
    await sleep(100);
    expect(used()).toBe(before);
    await thawCgroup(group);
    await thawCgroup(group);
    expect(await isCgroupFrozen(group)).toBe(false);
    await expect.poll(used, { timeout: 5000 }).toBeGreaterThan(before);
  });

  test('says that a group is missing', async () => {
    await expect(freezeCgroup(`${group}-none`)).rejects.toThrow();
    expect(await isCgroupFrozen(`${group}-none`)).toBe(false);
  });
});
