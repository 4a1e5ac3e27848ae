import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { TooLargeError, type TransferProgress } from 'sandport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { onEachIsolation, testRun, useDaemon } from '../harness/index.ts';
import { describeTree } from './local-trees.ts';
import { makeTree, someTree } from './made-trees.ts';
import { failure, useSdkSandbox } from './sdk-sandbox.ts';

const used = useDaemon();

let local: string;
let from: string;
let to: string;
beforeEach(() => {
  local = mkdtempSync(join(testRun().tempDir, 'sdk-trees-'));
  from = join(local, 'from');
  to = join(local, 'to');
  mkdirSync(from);
});
afterEach(() => rmSync(local, { recursive: true, force: true }));

onEachIsolation(used, (isolation) => {
  const made = useSdkSandbox(used, isolation);
  const files = () => made.sandbox.files;
  const run = async (line: string) => (await made.sandbox.exec(line, { check: true })).stdout;

  test('any tree comes back as it was, by archive and by sync', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(someTree, fc.boolean(), async (entries, gzip) => {
        for (const each of [from, to]) rmSync(each, { recursive: true, force: true });
        mkdirSync(from);
        makeTree(from, entries);
        const expected = describeTree(from);
        const compression = gzip ? 'gzip' : 'none';
        const remote = `/workspace/any-${round++}`;
        await files().uploadDir(from, remote, { compression });
        await files().downloadDir(remote, to, { compression });
        expect(describeTree(to)).toEqual(expected);
        expect(await files().syncDir(from, remote)).toMatchObject({ created: 0, updated: 0 });
        rmSync(to, { recursive: true, force: true });
        const down = await files().syncDir(to, remote, { direction: 'down' });
        expect(down).toMatchObject({ created: expected.length, updated: 0, unchanged: 0 });
        expect(describeTree(to)).toEqual(expected);
        await files().syncDir(from, `${remote}-synced`);
        const back = join(local, 'back');
        await files().downloadDir(`${remote}-synced`, back);
        expect(describeTree(back)).toEqual(expected);
        rmSync(back, { recursive: true });
        await files().removeFiles([remote, `${remote}-synced`]);
      }),
      { numRuns: 12 },
    );
  });

  test('hard links, empty directories and what the guest made come down', async () => {
    await run(
      'mkdir -p /workspace/g/empty /workspace/g/d; cd /workspace/g; echo 1 > f; ln f d/other; ln -s ../f d/up; ln -s /etc/passwd out; chmod 4755 f; mkfifo pipe',
    );
    const result = await files().downloadDir('/workspace/g', to);
    expect(result).toMatchObject({ files: 2, hardLinks: 1, symlinks: 1, directories: 2 });
    expect(result.skipped.map(({ path }) => path)).toEqual(['out']);
    expect(describeTree(to).map(({ path }) => path)).toEqual([
      'd',
      'd/other',
      'd/up',
      'empty',
      'f',
    ]);
    expect(statSync(join(to, 'f')).ino).toBe(statSync(join(to, 'd/other')).ino);
    expect(statSync(join(to, 'f')).mode & 0o7777).toBe(0o755);
    expect(statSync(join(to, 'f')).uid).toBe(process.getuid?.());
  });

  test('hard links go up as one file, and progress tells all of it', async () => {
    writeFileSync(join(from, 'a'), Buffer.alloc(700_000, 'a'));
    linkSync(join(from, 'a'), join(from, 'b'));
    let last: TransferProgress | undefined;
    const result = await files().uploadDir(from, '/workspace/up', {
      onProgress: (progress) => (last = progress),
    });
    expect(result).toMatchObject({ files: 2, hardLinks: 1, bytes: 700_000, skippedCount: 0 });
    expect(last).toEqual({ bytes: 700_000, totalBytes: 700_000, files: 2, totalFiles: 2 });
    expect(await run('cd /workspace/up; stat -c %h a; cmp a b && echo same')).toBe('2\nsame\n');
  });

  test('ignored entries stay where they are, in both directions', async () => {
    mkdirSync(join(from, 'node_modules'));
    writeFileSync(join(from, 'node_modules/m'), 'm');
    writeFileSync(join(from, 'a.txt'), 'a');
    writeFileSync(join(from, '.sandportignore'), 'node_modules/\n');
    await files().uploadDir(from, '/workspace/ig');
    expect(await run('cd /workspace/ig; find . -type f | sort')).toBe(
      './.sandportignore\n./a.txt\n',
    );
    await run('mkdir /workspace/ig/node_modules; echo theirs > /workspace/ig/node_modules/m');
    const options = { delete: true } as const;
    expect(await files().syncDir(from, '/workspace/ig', options)).toMatchObject({ deleted: 0 });
    expect(await run('cat /workspace/ig/node_modules/m')).toBe('theirs\n');
    await files().downloadDir('/workspace/ig', to, { ignore: ['node_modules'] });
    expect(readdirSync(to).toSorted()).toEqual(['.sandportignore', 'a.txt']);
    await files().downloadDir('/workspace/ig', join(local, 'ex'), { exclude: ['**/*.txt'] });
    expect(existsSync(join(local, 'ex/a.txt'))).toBe(false);
    expect(existsSync(join(local, 'ex/node_modules/m'))).toBe(true);
  });

  test('limits end a download', async () => {
    await run('mkdir /workspace/lim; cd /workspace/lim; head -c 100000 /dev/zero > z; touch a b c');
    const limited = (options: object) => files().downloadDir('/workspace/lim', to, options);
    expect(await failure(limited({ maxBytes: 1000 }))).toBeInstanceOf(TooLargeError);
    expect(await failure(limited({ maxEntries: 2 }))).toBeInstanceOf(TooLargeError);
    expect(await failure(files().downloadDir('/none', to))).toMatchObject({
      code: 'file_not_found',
    });
  });

  test('what the archive cannot replace is named, and no half file stays', async () => {
    await run('mkdir -p /workspace/conf/x; echo deep > /workspace/conf/x/y');
    writeFileSync(join(from, 'x'), 'a file');
    const error = await failure(files().uploadDir(from, '/workspace/conf'));
    expect(error).toMatchObject({ code: expect.stringMatching(/already_exists|is_directory/) });
    expect(await run('cat /workspace/conf/x/y; ls -A /workspace/conf')).toBe('deep\nx\n');
  });

  test('an aborted transfer leaves no half file on either side', async () => {
    for (let index = 0; index < 40; index++)
      writeFileSync(join(from, `f${index}`), Buffer.alloc(1_000_000, index));
    const up = new AbortController();
    const uploading = files().uploadDir(from, '/workspace/ab', {
      signal: up.signal,
      onProgress: ({ files: done = 0 }) => done > 15 && up.abort(new Error('enough')),
    });
    expect(await failure(uploading)).toMatchObject({ message: 'enough' });
    // The daemon sees the end of the connection a moment later.
    await expect
      .poll(() =>
        run('cd /workspace/ab 2>/dev/null && find . -type f ! -size 1000000c -print | wc -l'),
      )
      .toBe('0\n');
    await files().uploadDir(from, '/workspace/ab');
    const down = new AbortController();
    const downloading = files().downloadDir('/workspace/ab', to, {
      signal: down.signal,
      onProgress: ({ files: done = 0 }) => done > 15 && down.abort(new Error('enough')),
    });
    expect(await failure(downloading)).toMatchObject({ message: 'enough' });
    for (const name of readdirSync(to)) {
      expect(name).toMatch(/^f\d+$/);
      expect(statSync(join(to, name)).size).toBe(1_000_000);
    }
  });

  describe('a local symlink in the way', () => {
    test('is replaced by a file, and never written through', async () => {
      await run(
        'mkdir -p /workspace/ln/d; echo new > /workspace/ln/f; echo in > /workspace/ln/d/f',
      );
      mkdirSync(to);
      const outside = join(local, 'outside');
      mkdirSync(outside);
      writeFileSync(join(outside, 'f'), 'mine');
      symlinkSync(join(outside, 'f'), join(to, 'f'));
      symlinkSync(outside, join(to, 'd'));
      const error = await failure(files().downloadDir('/workspace/ln', to));
      expect(error).toMatchObject({ code: 'unsafe_archive' });
      expect(readFileSync(join(outside, 'f'), 'utf8')).toBe('mine');
    });
  });
});
