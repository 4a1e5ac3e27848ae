import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SandboxFiles } from '@sandport/driver';
import { parseGuestPath } from '@sandport/protocol';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createLocalDriver } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { findProgram } from '@sandport/linux';
import type { StorageKind } from './storage/storage.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';

const dataDir = testDataDir('crash-forks');
const layout = new Layout(dataDir);
const open = (storage: StorageKind) =>
  createLocalDriver({ dataDir, templatesDir, storage, poolBytes: 2 ** 30 });
const driver = await createLocalDriver({ dataDir, templatesDir });
const { isolations } = driver;
await driver[Symbol.asyncDispose]();
const storages: StorageKind[] = ['overlay'];
if (findProgram('mkfs.btrfs') !== undefined) storages.push('btrfs');

/** Forks, takes snapshots of, and restores one sandbox without end, in a process that is killed. */
const churn = `
import { createLocalDriver } from '@sandport/driver-local';
import { randomUUID } from 'node:crypto';
const [dataDir, templatesDir, storage, specText] = process.argv.slice(1);
const spec = JSON.parse(specText);
const memory = spec.isolation === 'gvisor';
const driver = await createLocalDriver({ dataDir, templatesDir, storage, poolBytes: 2 ** 30 });
const report = await driver.adopt({ sandboxes: [spec], snapshots: [] });
if (report.running.length === 0) await driver.wake(spec);
console.log('ready');
for (let round = 0; ; round++) {
  const children = [1, 2].map(() => ({ ...spec, id: randomUUID() }));
  const snapshot = randomUUID();
  await driver.fork(spec.id, children, { memory: memory && round % 2 === 0 });
  await driver.snapshots.create(snapshot, spec.id, { memory: memory && round % 2 === 1 });
  await Promise.all(children.map(({ id }) => driver.remove(id)));
  await driver.restore(spec, snapshot);
  await driver.snapshots.remove(snapshot);
}
`;

const contents = async (files: SandboxFiles, path: string): Promise<string> => {
  await using file = await files.open(parseGuestPath(path));
  return text(file.stream());
};

const cases = storages.flatMap((storage) => isolations.map((each) => [storage, each] as const));

describe.each(cases)('a daemon that is killed on %s with %s', (storage, isolation) => {
  afterEach(async () => {
    await using next = await open(storage);
    await next.adopt({ sandboxes: [], snapshots: [] });
  });

  test('in a fork, a snapshot or a restore leaves its sandbox whole, and nothing else', {
    timeout: 120_000,
  }, async () => {
    rmSync(dataDir, { recursive: true, force: true });
    const spec = testSpec(isolation);
    const first = await open(storage);
    await first.adopt({ sandboxes: [], snapshots: [] });
    const sandbox = await first.create(spec);
    const writer = await sandbox.files.write(parseGuestPath('/home/user/precious'));
    writer.stream.end('x'.repeat(100_000));
    await once(writer.stream, 'finish');
    await writer.commit();
    await first[Symbol.asyncDispose]();
    for (let round = 0; round < 6; round++) {
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', churn, dataDir, templatesDir, storage, JSON.stringify(spec)],
        {
          cwd: fileURLToPath(new URL('..', import.meta.url)),
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await once(child.stdout, 'data');
      await sleep(Math.random() * 1500);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const next = await open(storage);
      const report = await next.adopt({ sandboxes: [spec], snapshots: [] });
      expect(report.lost).toEqual([]);
      const found = report.running[0] ?? report.stopped[0];
      expect(found?.id).toBe(spec.id);
      if (found) expect(await contents(found.files, '/home/user/precious')).toHaveLength(100_000);
      const live = report.running[0] ?? (await next.wake(spec)).sandbox;
      expect(live.paused).toBe(false);
      const command = await live.commands.start({ args: ['wc', '-c', '/home/user/precious'] });
      command.stderr.resume();
      expect(await text(command.stdout)).toMatch(/^100000 /);
      await next[Symbol.asyncDispose]();
      expect(readdirSync(layout.sandboxes)).toEqual([spec.id]);
      for (const directory of [layout.snapshots, layout.staging, layout.trash])
        expect(readdirSync(directory)).toEqual([]);
    }
    const last = await open(storage);
    await last.adopt({ sandboxes: [spec], snapshots: [] });
    await last.remove(spec.id);
    await last[Symbol.asyncDispose]();
    expect(await leftovers(layout)).toEqual([]);
    if (existsSync(`${dataDir}/pool`)) expect(readdirSync(`${dataDir}/pool`)).toEqual([]);
  });
});

test('an isolation works on this machine', () => {
  expect(isolations).not.toEqual([]);
});

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
