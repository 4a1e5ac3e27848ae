import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseGuestPath, volumeNameSchema } from '@sandport/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriverSandbox } from '../driver.ts';
import type { TreeWriterOptions, WalkOptions } from '../files/index.ts';
import { expectFault, run, useHarness } from './harness.ts';
import type { ConformanceSubject } from './subject.ts';

const path = parseGuestPath;
const shared = volumeNameSchema.parse('trees');
const bytes = (name: string) => Buffer.from(name);
const attributes = { mode: 0o640, uid: 5, gid: 6, mtimeNs: 1_234_567_890_123_456_789n };

export function treesSuite(subject: ConformanceSubject): void {
  describe('trees', () => {
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

    async function walk(directory: string, options?: WalkOptions): Promise<string[]> {
      const found: string[] = [];
      for await (const walked of sandbox.files.walk(path(directory), options)) {
        found.push(`${walked.entry.type} ${walked.relativePath}`);
      }
      return found;
    }

    async function writeTree(directory: string, options?: TreeWriterOptions): Promise<void> {
      const writer = await sandbox.files.writeTree(path(directory), options);
      try {
        await writer.directory(bytes('d'), { ...attributes, mode: 0o750 });
        await writer.file(bytes('d/small'), attributes, bytes('small'), 5);
        await writer.file(bytes('d/stream'), attributes, Readable.from([bytes('stre'), 'am']), 6);
        await writer.file(bytes('made/up/x'), { ...attributes, mode: 0o6755 }, bytes(''), 0);
        await writer.symlink(bytes('link'), attributes, bytes('d/small'));
        await writer.hardLink(bytes('hard'), bytes('d/small'));
        await writer.finish();
      } finally {
        await writer[Symbol.asyncDispose]();
      }
    }

    test.each(['/tmp/tree', '/mnt/trees/tree'])(
      'what is written to %s is what a command and a walk see',
      async (directory) => {
        await writeTree(directory);
        const seen = await run(
          sandbox,
          `cd ${directory} && cat link d/stream && stat -c ' %a %U %Y' d d/small made made/up/x link`,
        );
        const [first, small, made, deep, link] = seen.stdout.toString().split('\n');
        expect([first, small, deep, link]).toEqual([
          'smallstream 750 user 1234567890',
          ' 640 user 1234567890',
          ' 755 user 1234567890',
          ' 777 user 1234567890',
        ]);
        expect(made).toMatch(/^ 755 user /);
        expect(await walk(directory)).toEqual([
          'directory d',
          'file d/small',
          'file d/stream',
          'file hard',
          'symlink link',
          'directory made',
          'directory made/up',
          'file made/up/x',
        ]);
        expect(await walk(directory, { depth: 1 })).toHaveLength(4);
      },
    );

    test('owners and set-id bits come from the entries when that is asked for', async () => {
      await writeTree('/tmp/owned', { owner: 'from entries' });
      const seen = await run(sandbox, 'cd /tmp/owned && stat -c "%a %u:%g" d made/up/x link made');
      expect(seen.stdout.toString()).toMatch(/^750 5:6\n6755 5:6\n777 5:6\n755 /);
    });

    test('a walk tells times, links and contents, and goes on at a cursor', async () => {
      await writeTree('/tmp/walked');
      const keys: (string | undefined)[] = [];
      const cursors: string[] = [];
      for await (const walked of sandbox.files.walk(path('/tmp/walked'))) {
        cursors.push(walked.cursor);
        if (walked.relativePath === 'link') expect(walked.targetBytes?.toString()).toBe('d/small');
        if (walked.entry.type !== 'file') expect(walked.open()).toBeUndefined();
        if (!['d/small', 'hard'].includes(walked.relativePath)) continue;
        expect(walked.mtimeNs).toBe(attributes.mtimeNs);
        keys.push(walked.hardLinkKey);
        const file = walked.open();
        expect(file?.readSmall(4)).toBeUndefined();
        expect(file?.readSmall(5)?.toString()).toBe('small');
        expect(file && (await text(file.stream()))).toBe('small');
      }
      expect(keys[0]).toBeDefined();
      expect(keys[0]).toBe(keys[1]);
      const all = await walk('/tmp/walked');
      for (const [index, cursor] of cursors.entries()) {
        expect(await walk('/tmp/walked', { cursor })).toEqual(all.slice(index + 1));
      }
      await expectFault(walk('/tmp/walked', { cursor: 'Li4' }), 'invalid_request');
    });

    test('no entry lands outside, and what is in the way is told', async () => {
      await run(sandbox, 'mkdir -p /tmp/in/d && ln -s /tmp /tmp/in/out && touch /tmp/in/f');
      const writer = await sandbox.files.writeTree(path('/tmp/in'));
      const write = (name: string) => writer.file(bytes(name), attributes, bytes('x'), 1);
      try {
        for (const name of ['../x', '/tmp/x', 'd/../../x', 'out/x', '.']) {
          await expectFault(write(name), 'unsafe_archive');
        }
        await expectFault(writer.hardLink(bytes('stolen'), bytes('f')), 'unsafe_archive');
        await expectFault(write('d'), 'already_exists');
        await expectFault(write('f/x'), 'already_exists');
        await expectFault(writer.directory(bytes('f'), attributes), 'already_exists');
      } finally {
        await writer[Symbol.asyncDispose]();
      }
      await expectFault(sandbox.files.writeTree(path('/proc/x')), 'not_a_regular_file');
      expect(await walk('/tmp/in')).toEqual(['directory d', 'file f', 'symlink out']);
    });
  });
}
