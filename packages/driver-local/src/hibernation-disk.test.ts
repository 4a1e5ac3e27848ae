import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unmount } from '@sandport/linux';
import { SandportFault } from '@sandport/protocol';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { createLocalDriver } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';

const mountPoint = testDataDir('small-disk');
mkdirSync(mountPoint);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'small-disk', mountPoint]);
const dataDir = join(mountPoint, 'data');
const layout = new Layout(dataDir);
const driver = await createLocalDriver({ dataDir, templatesDir });
await driver.adopt({ sandboxes: [], snapshots: [] });

describe.runIf(driver.isolations.includes('gvisor'))('with little room on the disk', () => {
  test('a sandbox whose memory does not fit is not hibernated, and runs on', async () => {
    const spec = testSpec('gvisor');
    const sandbox = await driver.create(spec);
    const program =
      'import os,time\nb=os.urandom(40<<20)\nprint(len(b),flush=True)\ntime.sleep(60)';
    const command = await sandbox.commands.start({ args: ['python3', '-c', program] });
    await new Promise((resolve) => command.stdout.once('data', resolve));
    const filler = join(mountPoint, 'filler');
    writeFileSync(filler, Buffer.alloc(60 << 20));
    const refusal = await driver.hibernate(spec.id).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(SandportFault);
    expect(refusal).toMatchObject({ code: 'disk_full' });
    expect(existsSync(layout.sandbox(spec.id).memory)).toBe(false);
    const echo = await sandbox.commands.start({ args: ['echo', 'alive'] });
    expect(await text(echo.stdout)).toBe('alive\n');
    command.kill('SIGTERM');
    expect(await command.exit).toMatchObject({ signal: 'SIGTERM' });
    rmSync(filler);
    expect((await driver.hibernate(spec.id)).hibernation).toEqual({ memory: true });
    expect((await driver.wake(spec)).memory).toBe(true);
    await driver.remove(spec.id);
    expect(await leftovers(layout)).toEqual([]);
  });
});

test('an isolation works on this machine', () => {
  expect(driver.isolations).not.toEqual([]);
});

afterAll(async () => {
  await driver[Symbol.asyncDispose]();
  unmount(mountPoint);
  rmdirSync(mountPoint);
});
