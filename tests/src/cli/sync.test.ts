import { mkdtempSync } from 'node:fs';
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onEachIsolation, testRun, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { describeTree, makeTree } from './make-tree.ts';
import { runSandport, type SandportOptions } from './run-sandport.ts';

const used = useDaemon();
let local: string;
beforeAll(() => {
  local = mkdtempSync(join(testRun().tempDir, 'cli-sync-'));
});
afterAll(() => rm(local, { recursive: true, force: true }));

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const sync = async (args: readonly string[], options: SandportOptions = {}) => {
    const ran = await runSandport(used, ['sync', ...args], { cwd: local, ...options });
    const lines = ran.stdout
      .toString()
      .split('\n')
      .filter((line) => line !== '');
    return { ...ran, lines };
  };
  const inside = async (line: string) => (await used.api.exec(box.id, line)).stdout;

  test('only what differs goes up, line by line', async () => {
    const dir = join(local, `up-${isolation}`);
    const target = `${box.id}:/workspace/up`;
    await makeTree(dir);
    const first = await sync([dir, target]);
    expect(first.exitCode).toBe(0);
    expect(first.lines).toContain('+ plain.txt');
    expect(first.lines).toContain('+ sub/deep/');
    expect(first.lines).toContain('+ odd/new\\nline');
    expect(await inside('cd /workspace/up && ./run.sh && cat link')).toBe('ran\nplain\n');

    const again = await sync([dir, target]);
    expect(again).toMatchObject({ lines: [], exitCode: 0 });
    expect(again.stderr).toMatch(/^0 new, 0 changed, 0 deleted, \d+ the same; 0 B sent\n$/);

    await writeFile(join(dir, 'plain.txt'), 'changed\n');
    await writeFile(join(dir, 'added'), 'new');
    await rm(join(dir, 'zero'));
    await rm(join(dir, 'link'));
    await symlink('run.sh', join(dir, 'link'));
    const expected = ['+ added', '- zero', '~ link', '~ plain.txt'];
    const dry = await sync(['--dry-run', '--delete', dir, target]);
    expect(dry.lines.toSorted()).toEqual(expected);
    expect(dry.stderr).toMatch(/^Would do: /);
    expect(await inside('cat /workspace/up/plain.txt; ls /workspace/up/zero')).toBe(
      'plain\n/workspace/up/zero\n',
    );
    const kept = await sync([dir, target]);
    expect(kept.lines.toSorted()).toEqual(expected.filter((line) => !line.startsWith('-')));
    expect((await sync(['--delete', dir, target])).lines).toEqual(['- zero']);
    expect(await inside('cd /workspace/up && cat plain.txt && readlink link && ls zero')).toBe(
      'changed\nrun.sh\n',
    );
  });

  test('contents count with --checksum', async () => {
    const dir = join(local, `sum-${isolation}`);
    await mkdir(dir);
    await writeFile(join(dir, 'same-size'), 'aaaa');
    await sync([dir, `${box.id}:/workspace/sum`]);
    await inside(
      'cd /workspace/sum && touch -r same-size /tmp/t && printf bbbb > same-size && touch -r /tmp/t same-size',
    );
    expect((await sync([dir, `${box.id}:/workspace/sum`])).lines).toEqual([]);
    expect((await sync(['--checksum', dir, `${box.id}:/workspace/sum`])).lines).toEqual([
      '~ same-size',
    ]);
    expect(await inside('cat /workspace/sum/same-size')).toBe('aaaa');
  });

  test('down, with --delete, and what is left out stays', async () => {
    const dir = join(local, `down-${isolation}`);
    await makeTree(join(local, `source-${isolation}`));
    await sync([`source-${isolation}`, `${box.id}:/workspace/down`]);
    const down = await sync(['--json', `${box.id}:/workspace/down`, dir]);
    expect(JSON.parse(down.stdout.toString())).toMatchObject({ deleted: 0, dry_run: false });
    expect(await describeTree(dir)).toEqual(await describeTree(join(local, `source-${isolation}`)));
    await writeFile(join(dir, 'mine'), '');
    await writeFile(join(dir, 'mine.log'), '');
    const removed = await sync([
      ...['--delete', '--exclude', '*.log'],
      ...[`${box.id}:/workspace/down`, dir],
    ]);
    expect(removed.lines).toEqual(['- mine']);
    expect((await stat(join(dir, 'mine.log'))).isFile()).toBe(true);
  });

  test('--watch goes on until Ctrl-C, up and down', async () => {
    const dir = join(local, `watch-${isolation}`);
    await mkdir(dir);
    await writeFile(join(dir, 'one'), '1');
    const soon = { timeoutMs: 20_000, what: 'the next round' };
    const has = (path: string, text: string) => async () =>
      (await inside(`cat ${path} 2>/dev/null`)) === text ? true : undefined;
    const linesOf = (output: string) => output.split('\n').length - 1;
    const up = await sync(['--watch', '--delete', '--json', dir, `${box.id}:/workspace/w`], {
      interrupt: async (output) => {
        await waitFor(has('/workspace/w/one', '1'), soon);
        await mkdir(join(dir, 'sub'));
        await writeFile(join(dir, 'sub', 'two'), '2');
        await waitFor(has('/workspace/w/sub/two', '2'), soon);
        await waitFor(() => linesOf(output()) >= 2, soon);
        const before = linesOf(output());
        await rm(join(dir, 'one'));
        await waitFor(
          async () => ((await inside('ls /workspace/w')) === 'sub\n' ? true : undefined),
          soon,
        );
        await waitFor(() => linesOf(output()) > before, soon);
      },
    });
    expect(up.exitCode).toBe(130);
    const rounds = up.lines.map((line) => JSON.parse(line));
    expect(rounds.length).toBeGreaterThanOrEqual(3);
    expect(rounds[0]).toMatchObject({ created: 1 });

    const local2 = join(local, `watched-${isolation}`);
    const read = (name: string) => readFile(join(local2, name), 'utf8').catch(() => undefined);
    const down = await sync(['--watch', `${box.id}:/workspace/w`, local2], {
      interrupt: async (output) => {
        await waitFor(async () => ((await read('sub/two')) === '2' ? true : undefined), soon);
        await inside('echo three > /workspace/w/three');
        await waitFor(async () => ((await read('three')) === 'three\n' ? true : undefined), soon);
        await waitFor(() => output().includes('three\n'), soon);
      },
    });
    expect(down).toMatchObject({ exitCode: 130, lines: expect.arrayContaining(['+ three']) });
  });

  test('wrong usage', async () => {
    await writeFile(join(local, 'file'), '');
    for (const [args, exitCode] of [
      [['a', 'b'], 2],
      [['-', `${box.id}:/x`], 2],
      [['file', `${box.id}:/x`], 2],
      [['none', `${box.id}:/x`], 1],
      [['--watch', '--dry-run', '.', `${box.id}:/x`], 2],
      [[`${box.id}:/none`, 'x'], 3],
    ] as const) {
      const ran = await sync(args);
      expect([args, ran.exitCode]).toEqual([args, exitCode]);
      expect(ran.stderr).not.toContain('    at ');
    }
  });
});
