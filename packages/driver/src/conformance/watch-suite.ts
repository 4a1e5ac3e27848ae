import { finished } from 'node:stream/promises';
import { parseGuestPath, volumeNameSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import type { FileWatcher, WatchEvent } from '../files/index.ts';
import { expectFault, run, useHarness, within, writeFile } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const path = parseGuestPath;
const shared = volumeNameSchema.parse('watched');

/** As `created file /a`, until the event that begins like the last one expected. */
async function eventsUntil(watcher: FileWatcher, last: string): Promise<string[]> {
  const seen: string[] = [];
  const read = async () => {
    for await (const event of watcher) {
      seen.push(textOf(event));
      if (seen.at(-1)?.startsWith(last) === true) return;
    }
  };
  await within(10_000, read()).catch(() => seen.push(`nothing like "${last}" came`));
  return seen;
}

function textOf(event: WatchEvent): string {
  if (event.kind === 'end') return 'end';
  if (event.kind === 'resync') return `resync ${event.reason}`;
  const from = event.kind === 'renamed' ? ` from ${event.from}` : '';
  return `${event.kind} ${event.type ?? 'unknown'} ${event.path}${from}`;
}

/**
 * Without what depends on when the events are read: changes that are told twice or with what made
 * the entry, and entries that go together with the directory that they are in.
 */
const withoutRepeats = (texts: readonly string[]): string[] =>
  texts.filter(
    (text, index) =>
      text !== texts[index - 1] &&
      !/^modified \w+ a\b/.test(text) &&
      !/^removed \w+ a\//.test(text),
  );

export function watchSuite(subject: ConformanceSubject): void {
  describe('watch', () => {
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

    test.each(['/home/user', '/mnt/watched', '/tmp', '/srv'])(
      'tells what commands do in %s',
      async (directory) => {
        await run(sandbox, `mkdir -p ${directory}/old/deep; touch ${directory}/old/deep/there`, {
          user: 'root',
        });
        using watcher = await sandbox.files.watch(path(directory));
        await run(
          sandbox,
          `cd ${directory}; sleep 0.1; echo 1 > new; sleep 0.1; echo 2 >> new; sleep 0.1;
           chmod 600 new; sleep 0.1; mv new old/deep/moved; sleep 0.1; ln -s x link; sleep 0.1;
           mkdir -p a/b/c; sleep 0.1; echo 3 > a/b/c/f; sleep 0.1; rm -r a; sleep 0.1;
           mv old/deep deeper; sleep 0.1; echo 4 >> deeper/there; sleep 0.1; rm deeper/there`,
          { user: 'root' },
        );
        const seen = await eventsUntil(watcher, `removed unknown ${directory}/deeper/there`);
        const texts = seen.map((each) => each.replaceAll(`${directory}/`, ''));
        expect(withoutRepeats(texts)).toEqual([
          'created file new',
          'modified file new',
          'renamed file old/deep/moved from new',
          'created symlink link',
          'created directory a',
          'created directory a/b',
          'created directory a/b/c',
          'created file a/b/c/f',
          'removed directory a',
          'renamed directory deeper from old/deep',
          'modified file deeper/there',
          'removed unknown deeper/there',
        ]);
      },
    );

    test('tells what comes through the API: a new file once, a file written over as modified', async () => {
      const { files } = sandbox;
      using watcher = await files.watch(path('/workspace'));
      const next = async (event: string) => {
        expect(await eventsUntil(watcher, event)).toEqual([event]);
      };
      await writeFile(files, '/workspace/file', 'one');
      await next('created file /workspace/file');
      await writeFile(files, '/workspace/file', 'two');
      await next('modified file /workspace/file');
      await using given = await files.write(path('/workspace/given up'));
      given.stream.end('x');
      await finished(given.stream);
      await given.abort();
      await files.makeDirectory(path('/workspace/sub'));
      await next('created directory /workspace/sub');
      await writeFile(files, '/workspace/sub/file', 'one');
      await next('created file /workspace/sub/file');
      await files.remove(path('/workspace/file'));
      await next('removed unknown /workspace/file');
    });

    test('ends when the directory goes, and with its sandbox', async () => {
      await run(sandbox, 'mkdir -p going/away');
      using first = await sandbox.files.watch(path('/home/user/going/away'));
      await run(sandbox, 'mv going gone');
      expect(await eventsUntil(first, 'end')).toEqual(['end']);
      const other = await harness.create();
      using second = await other.files.watch(path('/'));
      await harness.driver.remove(other.id);
      expect((await eventsUntil(second, 'end')).at(-1)).toBe('end');
    });

    test('stays in the directory itself when it is not recursive', async () => {
      await run(sandbox, 'mkdir -p flat/sub');
      using watcher = await sandbox.files.watch(path('/home/user/flat'), { recursive: false });
      await run(sandbox, 'cd flat; touch sub/x; mkdir new; touch new/x; touch last');
      expect(await eventsUntil(watcher, 'created file /home/user/flat/last')).toEqual([
        'created directory /home/user/flat/new',
        'created file /home/user/flat/last',
      ]);
    });

    test.each([
      ['file_not_found', '/no/such'],
      ['not_a_directory', '/etc/passwd'],
      ['not_a_regular_file', '/proc'],
      ['not_a_regular_file', '/run/sandport'],
    ])('answers %s for %s', async (code, directory) => {
      await expectFault(sandbox.files.watch(path(directory)), code);
    });
  });
}
