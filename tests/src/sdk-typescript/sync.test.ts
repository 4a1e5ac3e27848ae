import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ConflictError, Sandbox, type SyncAction, type SyncResult } from 'sandport';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { onEachIsolation, testRun, useDaemon } from '../harness/index.ts';
import { describeTree } from './local-trees.ts';
import { clientOf, failure, useSdkSandbox } from './sdk-sandbox.ts';

const used = useDaemon();

let local: string;
let here: string;
beforeEach(() => {
  local = mkdtempSync(join(testRun().tempDir, 'sdk-sync-'));
  here = join(local, 'here');
  mkdirSync(join(here, 'd/e'), { recursive: true });
  writeFileSync(join(here, 'a'), 'a');
  writeFileSync(join(here, 'd/b'), 'bb');
  writeFileSync(join(here, 'd/e/c'), 'ccc');
  symlinkSync('a', join(here, 'link'));
});
afterEach(() => rmSync(local, { recursive: true, force: true }));

const briefly = ({ actions }: SyncResult) => actions.map(({ action, path }) => `${action} ${path}`);

onEachIsolation(used, (isolation) => {
  const made = useSdkSandbox(used, isolation);
  const files = () => made.sandbox.files;
  const run = async (line: string) => (await made.sandbox.exec(line, { check: true })).stdout;

  test('up sends what differs and nothing else', async () => {
    const there = '/workspace/up';
    const first = await files().syncDir(here, there);
    expect(first).toMatchObject({ created: 6, updated: 0, deleted: 0, unchanged: 0, bytes: 6 });
    expect(await files().syncDir(here, '/workspace//./up/')).toMatchObject({ unchanged: 6 });
    const inodes = await run(`cd ${there}; ls -i a d/b d/e/c`);
    expect(await files().syncDir(here, there)).toMatchObject({
      created: 0,
      unchanged: 6,
      bytes: 0,
    });
    expect(await run(`cd ${there}; ls -i a d/b d/e/c`)).toBe(inodes);

    writeFileSync(join(here, 'd/b'), 'BBBB');
    chmodSync(join(here, 'a'), 0o600);
    rmSync(join(here, 'link'));
    symlinkSync('d', join(here, 'link'));
    rmSync(join(here, 'd/e'), { recursive: true });
    const expected = ['updated a', 'updated d/b', 'updated link'];
    expect(briefly(await files().syncDir(here, there, { dryRun: true }))).toEqual(expected);
    expect(await run(`cat ${there}/d/b`)).toBe('bb');
    expect(briefly(await files().syncDir(here, there))).toEqual(expected);
    expect(await run(`cd ${there}; cat d/b d/e/c; stat -c %a a; readlink link`)).toBe(
      'BBBBccc600\nd\n',
    );
    const seen: SyncAction[] = [];
    const deleting = await files().syncDir(here, there, {
      delete: true,
      onAction: (action) => seen.push(action),
    });
    expect(briefly(deleting)).toEqual(['deleted d/e', 'deleted d/e/c']);
    expect(seen).toEqual(deleting.actions);
    await files().downloadDir(there, join(local, 'back'));
    expect(describeTree(join(local, 'back'))).toEqual(describeTree(here));
  });

  test('down brings what differs and nothing else', async () => {
    const there = '/workspace/down';
    await files().uploadDir(here, there);
    const back = join(local, 'back');
    expect(await files().syncDir(back, there, { direction: 'down' })).toMatchObject({ created: 6 });
    expect(describeTree(back)).toEqual(describeTree(here));
    await run(
      `cd ${there}; echo new > d/new; echo longer > a; rm d/b; chmod 700 d/e/c; head -c 2000000 /dev/zero > big; ln -s /etc/passwd out`,
    );
    writeFileSync(join(back, 'mine'), 'mine');
    const down = { direction: 'down' } as const;
    const result = await files().syncDir(back, there, down);
    expect(briefly(result)).toEqual(['updated a', 'created big', 'updated d/e/c', 'created d/new']);
    expect(result.skipped.map(({ path }) => path)).toEqual(['out']);
    expect(existsSync(join(back, 'd/b'))).toBe(true);
    const deleting = await files().syncDir(back, there, { ...down, delete: true });
    expect(briefly(deleting)).toEqual(['deleted d/b', 'deleted mine']);
    await run(`rm ${there}/out`);
    const nowhere = { ...down, delete: true };
    expect(await failure(files().syncDir(back, '/workspace/nowhere', nowhere))).toMatchObject({
      code: 'file_not_found',
    });
    const whole = join(local, 'whole');
    await files().downloadDir(there, whole);
    expect(describeTree(back)).toEqual(describeTree(whole));
  });

  test('down replaces a symlink here and never writes through it', async () => {
    const there = '/workspace/through';
    await run(`mkdir ${there}; cd ${there}; echo small > s; head -c 3000000 /dev/zero > l`);
    const back = join(local, 'back');
    mkdirSync(back);
    const mine = join(local, 'mine');
    writeFileSync(mine, 'mine');
    for (const name of ['s', 'l']) symlinkSync(mine, join(back, name));
    await files().syncDir(back, there, { direction: 'down' });
    expect(readFileSync(mine, 'utf8')).toBe('mine');
    expect(describeTree(back).map(({ path, type }) => `${path} ${type}`)).toEqual([
      'l file',
      's file',
    ]);
  });

  test('checksums find what time and size do not tell', async () => {
    const there = '/workspace/sum';
    await files().syncDir(here, there);
    await run(`cd ${there}; touch -r a /tmp/stamp; printf x > a; touch -r /tmp/stamp a`);
    expect(await files().syncDir(here, there)).toMatchObject({ updated: 0 });
    expect(await files().syncDir(here, there, { checksum: true })).toMatchObject({ updated: 1 });
    expect(await run(`cat ${there}/a`)).toBe('a');
    utimesSync(join(here, 'a'), 1000, 1000);
    expect(await files().syncDir(here, there, { checksum: true })).toMatchObject({ updated: 0 });
  });

  test('types that changed make room for each other', async () => {
    const there = '/workspace/types';
    await files().syncDir(here, there);
    rmSync(join(here, 'a'));
    mkdirSync(join(here, 'a/inside'), { recursive: true });
    rmSync(join(here, 'link'));
    writeFileSync(join(here, 'link'), 'a file');
    expect(briefly(await files().syncDir(here, there))).toEqual([
      'replaced a',
      'created a/inside',
      'updated link',
    ]);
    rmSync(join(here, 'd'), { recursive: true });
    writeFileSync(join(here, 'd'), 'now a file');
    const refused = await failure(files().syncDir(here, there));
    expect(refused).toBeInstanceOf(ConflictError);
    expect(await run(`cat ${there}/d/b`)).toBe('bb');
    await files().syncDir(here, there, { delete: true });
    await files().downloadDir(there, join(local, 'back'));
    expect(describeTree(join(local, 'back'))).toEqual(describeTree(here));
  });

  test('a watched directory follows its local one', async () => {
    const there = '/workspace/followed';
    const stop = new AbortController();
    const syncs: SyncResult[] = [];
    const watching = files().watchDir(here, there, {
      delete: true,
      signal: stop.signal,
      rescanMs: 500,
      onSync: (result) => syncs.push(result),
    });
    await expect.poll(() => syncs.length, { timeout: 10_000 }).toBe(1);
    mkdirSync(join(here, 'new/deep'), { recursive: true });
    writeFileSync(join(here, 'new/deep/f'), 'first');
    const at = (path: string) => files().read(`${there}/${path}`).catch(String);
    await expect.poll(() => at('new/deep/f'), { timeout: 10_000 }).toBe('first');
    writeFileSync(join(here, 'new/deep/f'), 'second');
    await expect.poll(() => at('new/deep/f'), { timeout: 10_000 }).toBe('second');
    rmSync(join(here, 'new'), { recursive: true });
    await expect.poll(() => files().exists(`${there}/new`), { timeout: 10_000 }).toBe(false);
    stop.abort();
    await watching;
    expect(readFileSync(join(here, 'a'), 'utf8')).toBe('a');
  });

  test('a watched directory notices that its sandbox is gone', async () => {
    const gone = await Sandbox.create({ isolation }, clientOf(used));
    let synced = false;
    const watching = gone.files.watchDir(here, '/workspace/w', {
      rescanMs: 200,
      onSync: () => (synced = true),
    });
    const ended = failure(watching);
    await expect.poll(() => synced, { timeout: 10_000 }).toBe(true);
    await gone.kill();
    expect(await ended).toMatchObject({ code: 'sandbox_not_found' });
  });
});
