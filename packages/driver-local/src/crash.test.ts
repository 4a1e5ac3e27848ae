import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { parseGuestPath, volumeNameSchema } from '@sandport/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createLocalDriver } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { killSandbox } from './sandbox/end-processes.ts';
import { unmountRoot } from './sandbox/root-mount.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';

const dataDir = testDataDir('crash');
const layout = new Layout(dataDir);
const open = () => createLocalDriver({ dataDir, templatesDir });
const driver = await open();
const isolations = driver.isolations;
await driver[Symbol.asyncDispose]();

/** Creates and removes sandboxes without end, in a process that is then killed. */
const churn = `
import { z } from 'zod';
import { createLocalDriver } from '@sandport/driver-local';
const [dataDir, templatesDir, specs] = process.argv.slice(1);
const driver = await createLocalDriver({ dataDir, templatesDir });
await driver.adopt({ sandboxes: [], snapshots: [] });
console.log('ready');
for (;;) await Promise.all(JSON.parse(specs).map(async (spec) => {
  await driver.create(spec);
  await driver.remove(spec.id);
}));
`;

describe.each(isolations)('after a crash, %s', (isolation) => {
  afterEach(async () => {
    await using next = await open();
    await next.adopt({ sandboxes: [], snapshots: [] });
  });

  test('whatever was half-made or half-removed is cleaned up', async () => {
    for (const afterMs of [30, 130, 310]) {
      const specs = [1, 2, 3, 4].map(() => testSpec(isolation));
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', churn, dataDir, templatesDir, JSON.stringify(specs)],
        {
          cwd: fileURLToPath(new URL('..', import.meta.url)),
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      child.kill('SIGKILL');
      await once(child, 'exit');
      await using next = await open();
      const report = await next.adopt({ sandboxes: [], snapshots: [] });
      expect(report).toEqual({ running: [], stopped: [], lost: [] });
      await next[Symbol.asyncDispose]();
      expect(await leftovers(layout)).toEqual([]);
    }
  });

  test('of the machine, disks are mounted again', async () => {
    const volumes = [{ name: volumeNameSchema.parse('lasting') }];
    const limits = { ...testSpec(isolation).limits, diskBytes: 64 * 1024 * 1024 };
    const plain = testSpec(isolation, { volumes });
    const limited = testSpec(isolation, { limits });
    const first = await open();
    await first.adopt({ sandboxes: [], snapshots: [] });
    for (const spec of [plain, limited]) {
      const sandbox = await first.create(spec);
      const write = 'echo left > /home/user/left; echo v > /mnt/lasting/v; true';
      const command = await sandbox.commands.start({ args: ['sh', '-c', write] });
      command.stdout.resume();
      command.stderr.resume();
      await command.exit;
    }
    await first[Symbol.asyncDispose]();
    // As a restart of the machine: no processes, no mounts, no run directory.
    const killer = await open();
    for (const { id } of [plain, limited]) {
      await killSandbox(layout.sandbox(id), undefined);
      await unmountRoot(layout.sandbox(id));
      rmSync(layout.sandbox(id).control, { recursive: true });
      rmSync(layout.sandbox(id).bundle, { recursive: true });
    }
    await killer[Symbol.asyncDispose]();

    await using next = await open();
    const report = await next.adopt({ sandboxes: [plain, limited], snapshots: [] });
    expect(report.lost).toEqual([]);
    expect(report.stopped).toHaveLength(2);
    for (const { files } of report.stopped) {
      const file = await files.open(parseGuestPath('/home/user/left'));
      expect(file.entry.uid).toBe(1000);
      expect(await text(file.stream())).toBe('left\n');
    }
    const withVolume = report.stopped.find(({ id }) => id === plain.id);
    const file = await withVolume?.files.open(parseGuestPath('/mnt/lasting/v'));
    expect(file && (await text(file.stream()))).toBe('v\n');
    await Promise.all([plain, limited].map(({ id }) => next.remove(id)));
    await next.volumes.remove(plain.namespace, volumeNameSchema.parse('lasting'));
    expect(await leftovers(layout)).toEqual([]);
  });
});

test.skipIf(!isolations.includes('container'))(
  'a new sandbox never gets the ids of one that was taken over',
  async () => {
    const specs = [1, 2, 3, 4, 5, 6].map(() => testSpec('container'));
    const bases: number[] = [];
    for (const count of [3, 6]) {
      await using next = await open();
      await next.adopt({ sandboxes: specs.slice(0, count - 3), snapshots: [] });
      for (const spec of specs.slice(count - 3, count)) {
        await next.create(spec);
        const record: unknown = JSON.parse(readFileSync(layout.sandbox(spec.id).record, 'utf8'));
        bases.push(z.object({ idBase: z.int() }).parse(record).idBase);
      }
    }
    expect(new Set(bases).size).toBe(specs.length);
    await using last = await open();
    await last.adopt({ sandboxes: [], snapshots: [] });
    expect(await leftovers(layout)).toEqual([]);
  },
);

test.each(['user', 'record'])(
  'without its %s a sandbox keeps its files until removed',
  async (gone) => {
    const [isolation] = isolations;
    if (isolation === undefined) return;
    const spec = testSpec(isolation);
    const first = await open();
    await first.adopt({ sandboxes: [], snapshots: [] });
    await first.create(spec);
    await first[Symbol.asyncDispose]();
    await using next = await open();
    if (gone === 'record') rmSync(layout.sandbox(spec.id).record);
    const report = await next.adopt({
      sandboxes: [gone === 'user' ? { ...spec, user: 'who-left' } : spec],
      snapshots: [],
    });
    expect(report).toMatchObject({ running: [], stopped: [], lost: [spec.id] });
    expect(existsSync(layout.sandbox(spec.id).upper)).toBe(true);
    await next.remove(spec.id);
    expect(await leftovers(layout)).toEqual([]);
  },
);

test('an isolation works on this machine', () => {
  expect(isolations).not.toEqual([]);
});

afterEach(() => rmSync(dataDir, { recursive: true, force: true }));
