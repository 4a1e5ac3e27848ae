import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseGuestPath } from '@sandport/protocol';
import { afterAll, describe, expect, test } from 'vitest';
import { createLocalDriver } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';
import { currentVersion } from './templates/version.ts';

const dataDir = testDataDir('first-release');
const layout = new Layout(dataDir);
const open = () => createLocalDriver({ dataDir, templatesDir });
const driver = await open();
const { isolations } = driver;
await driver[Symbol.asyncDispose]();

/** A sandbox as the first release left it: host ids on its disk, fewer fields in its record. */
function layOut(id: string, isolation: string, idBase: number): void {
  const { directory, record, upper, work } = layout.sandbox(id);
  const home = join(upper, 'home/user');
  for (const path of [home, work]) mkdirSync(path, { recursive: true });
  writeFileSync(join(home, 'old'), 'of the first release');
  writeFileSync(join(upper, 'made-by-root'), 'x');
  chownSync(upper, idBase, idBase);
  chownSync(join(upper, 'home'), idBase, idBase);
  chownSync(join(upper, 'made-by-root'), idBase, idBase);
  for (const path of [home, join(home, 'old')]) chownSync(path, idBase + 1000, idBase + 1000);
  const templateVersion = currentVersion(templatesDir, 'base');
  const token = 'a'.repeat(64);
  const fields = { isolation, template: 'base', templateVersion, idBase, token };
  mkdirSync(directory, { recursive: true });
  writeFileSync(record, JSON.stringify(fields));
}

describe.each(isolations)('a sandbox of the first release, %s', (isolation) => {
  test('is opened with its owners, and wakes', async () => {
    const spec = testSpec(isolation);
    layOut(spec.id, isolation, isolation === 'container' ? 70 * 65_536 : 0);
    await using next = await open();
    const report = await next.adopt({ sandboxes: [spec], snapshots: [] });
    expect(report).toMatchObject({ running: [], lost: [] });
    const [stopped] = report.stopped;
    expect(stopped?.hibernation).toBeUndefined();
    await using file = await stopped?.files.open(parseGuestPath('/home/user/old'));
    expect(file?.entry).toMatchObject({ uid: 1000, gid: 1000 });
    expect(file && (await text(file.stream()))).toBe('of the first release');
    const changes: string[] = [];
    for await (const { change } of stopped?.files.changes.list(parseGuestPath('/home')) ?? [])
      changes.push(`${change.change} ${change.path}`);
    expect(changes).toEqual(['added /home/user/old']);
    const { sandbox } = await next.wake(spec);
    const script = 'cat old; stat -c %u:%g old /made-by-root; touch new; stat -c %u new';
    const command = await sandbox.commands.start({ args: ['sh', '-c', script] });
    expect(await text(command.stdout)).toBe('of the first release1000:1000\n0:0\n1000\n');
    expect(readFileSync(layout.sandbox(spec.id).record, 'utf8')).not.toContain('"guestIds":true');
    await next.remove(spec.id);
    expect(await leftovers(layout)).toEqual([]);
  });
});

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
