import { parseGuestPath, volumeNameSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import type { ListedChange } from '../files/index.ts';
import { expectFault, run, useHarness, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const path = parseGuestPath;
const shared = volumeNameSchema.parse('unchanged');

async function listed(sandbox: DriverSandbox, directory = '/'): Promise<ListedChange[]> {
  const found: ListedChange[] = [];
  for await (const each of sandbox.files.changes.list(path(directory))) found.push(each);
  return found;
}

const textOf = ({ change }: ListedChange) =>
  `${change.change} ${change.type} ${change.path} ${change.type === 'directory' ? '' : `${change.previous_size ?? ''}>${change.size}`}`.trim();

async function texts(sandbox: DriverSandbox, directory = '/'): Promise<string[]> {
  return (await listed(sandbox, directory)).map(textOf);
}

export function changesSuite(subject: ConformanceSubject): void {
  describe('changes', () => {
    const harness = useHarness(subject);
    let sandbox: DriverSandbox;
    beforeAll(async () => {
      await harness.driver.volumes.ensure(harness.spec().namespace, shared);
      sandbox = await harness.create({ volumes: [{ name: shared }] });
    });
    afterAll(async () => {
      await harness.removeAll();
      await harness.driver.volumes.remove(harness.spec().namespace, shared);
    });
    const asRoot = (command: string) => run(sandbox, command, { user: 'root' });

    test('of a new sandbox are none, also after a command ran', async () => {
      expect(await texts(sandbox)).toEqual([]);
      await run(sandbox, 'true; ls -lR /etc /mnt; cat /etc/passwd');
      expect(await texts(sandbox)).toEqual([]);
    });

    test('name what commands and the API add, modify and delete, in tree order', async () => {
      await asRoot(
        `cd /etc; echo added >> passwd; rm group; rm -r skel; mkdir -p new/deep; echo 1 > new/deep/f;
         ln -s x new/link; chmod 700 /etc/default; touch hostname; cat issue > copy; mv copy issue`,
      );
      await writeFile(sandbox.files, '/home/user/a b', '12345');
      await writeFile(sandbox.files, '/mnt/unchanged/of a volume', 'x');
      const seen = await texts(sandbox);
      const { stdout } = await asRoot('stat -c %s /etc/passwd');
      const passwd = Number(stdout);
      expect(seen.filter((each) => !each.includes('/etc/group '))).toEqual([
        'modified directory /etc/default',
        'added directory /etc/new',
        'added directory /etc/new/deep',
        'added file /etc/new/deep/f >2',
        'added symlink /etc/new/link >1',
        `modified file /etc/passwd ${passwd - 6}>${passwd}`,
        'deleted directory /etc/skel',
        'added file /home/user/a b >5',
      ]);
      expect(seen.find((each) => each.includes('/etc/group '))).toMatch(/^deleted file .* >\d+$/);
    });

    test('can be asked for below a path, whatever became of it', async () => {
      expect(await texts(sandbox, '/etc/new')).toHaveLength(4);
      expect(await texts(sandbox, '/etc/new/deep/f')).toEqual(['added file /etc/new/deep/f >2']);
      expect(await texts(sandbox, '/etc/skel')).toEqual(['deleted directory /etc/skel']);
      expect(await texts(sandbox, '/etc/skel/.profile')).toEqual([
        expect.stringMatching(/^deleted file .*profile/),
      ]);
      for (const same of ['/usr', '/etc/hostname', '/mnt/unchanged', '/mnt/unchanged/of a volume'])
        expect(await texts(sandbox, same)).toEqual([]);
      await expectFault(listed(sandbox, '/no/such'), 'file_not_found');
      await expectFault(listed(sandbox, '/etc/new/no'), 'file_not_found');
    });

    test('go on behind a cursor', async () => {
      const all = await listed(sandbox, '/');
      for (const [index, { cursor }] of all.entries()) {
        const rest: string[] = [];
        for await (const each of sandbox.files.changes.list(path('/'), { cursor })) {
          rest.push(textOf(each));
        }
        expect(rest).toEqual(all.slice(index + 1).map(textOf));
      }
    });

    test('of a directory that was made anew tell what is missing in it', async () => {
      await asRoot(
        'cd /usr/share; rm -r base-files; mkdir base-files; echo x > base-files/dot.new',
      );
      const seen = await texts(sandbox, '/usr/share/base-files');
      expect(seen).toContain('added file /usr/share/base-files/dot.new >2');
      expect(seen.filter((each) => each.startsWith('deleted file')).length).toBeGreaterThan(1);
      expect(seen).toEqual(
        [...seen].sort((a, b) => ((a.split(' ')[2] ?? '') < (b.split(' ')[2] ?? '') ? -1 : 1)),
      );
    });

    test('of another kind are modified; what is put back is no change', async () => {
      await asRoot(
        'cd /etc; rm issue.net; mkdir issue.net; touch issue.net/in; cp -p shells s; echo x >> shells; mv s shells',
      );
      expect(await texts(sandbox, '/etc/issue.net')).toEqual([
        'modified directory /etc/issue.net',
        'added file /etc/issue.net/in >0',
      ]);
      expect(await texts(sandbox, '/etc/shells')).toEqual([]);
      await asRoot('chmod 600 /etc/shells');
      expect(await texts(sandbox, '/etc/shells')).toHaveLength(1);
      await asRoot('chmod 644 /etc/shells; chown 5 /etc/shells');
      expect(await texts(sandbox, '/etc/shells')).toHaveLength(1);
    });
  });
}
