import { mkdtempSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onEachIsolation, testRun, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { describeTree, makeManyFiles, makeTree } from './make-tree.ts';
import { runSandport, type SandportOptions } from './run-sandport.ts';

const used = useDaemon();
let local: string;
beforeAll(async () => {
  local = mkdtempSync(join(testRun().tempDir, 'cli-tree-'));
  await makeTree(join(local, 'tree'));
});
afterAll(() => rm(local, { recursive: true, force: true }));

const cp = (args: readonly string[], options: SandportOptions = {}) =>
  runSandport(used, ['cp', ...args], { cwd: local, ...options });
const quiet = { stdout: Buffer.alloc(0), stderr: '', exitCode: 0 };

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const other = useSandbox(used, isolation);
  const inside = async (line: string, id = box.id) => (await used.api.exec(id, line)).stdout;

  test('a directory goes in and comes out as it was', async () => {
    expect(await cp(['tree', `${box.id}:/workspace/copy`])).toEqual(quiet);
    expect(await inside('cd /workspace/copy && ./run.sh && cat link && readlink dangling')).toBe(
      'ran\nplain\nnowhere\n',
    );
    expect(await inside('stat -c "%U %a" /workspace/copy/sub/deep')).toBe('user 750\n');
    const out = `out-${isolation}`;
    expect(await cp(['-r', `${box.id}:/workspace/copy`, out])).toEqual(quiet);
    expect(await describeTree(join(local, out))).toEqual(await describeTree(join(local, 'tree')));
  });

  test('the target decides about the name, as with cp -r', async () => {
    await inside('mkdir -p /workspace/there');
    expect(await cp(['tree', `${box.id}:/workspace/there`])).toEqual(quiet);
    expect(await cp(['tree/', `${box.id}:/workspace/new/`])).toEqual(quiet);
    expect(await cp(['tree/.', `${box.id}:/workspace/contents`])).toEqual(quiet);
    expect(
      await inside(
        'cd /workspace && cat there/tree/plain.txt new/tree/plain.txt contents/plain.txt',
      ),
    ).toBe('plain\nplain\nplain\n');
    const dir = `name-${isolation}`;
    await mkdir(join(local, dir));
    expect(await cp([`${box.id}:/workspace/contents`, dir])).toEqual(quiet);
    expect(await cp([`${box.id}:/workspace/contents/.`, `${dir}/inner`])).toEqual(quiet);
    expect(await readFile(join(local, dir, 'contents/plain.txt'), 'utf8')).toBe('plain\n');
    expect(await readFile(join(local, dir, 'inner/plain.txt'), 'utf8')).toBe('plain\n');
  });

  test('several sources go into a directory, and a directory is merged', async () => {
    const target = `${box.id}:/workspace/merged`;
    expect((await cp(['tree/plain.txt', 'tree/zero', target])).exitCode).toBe(2);
    expect(await cp(['tree/plain.txt', 'tree/sub', `${target}/`])).toEqual(quiet);
    await inside('touch /workspace/merged/sub/mine');
    expect(await cp(['tree/sub', target])).toEqual(quiet);
    expect(await inside('cd /workspace/merged && ls plain.txt sub')).toBe(
      'plain.txt\n\nsub:\ndeep\nmine\n',
    );
    const out = `several-${isolation}/`;
    const sources = ['plain.txt', 'sub'].map((name) => `${box.id}:/workspace/merged/${name}`);
    expect(await cp([...sources, out])).toEqual(quiet);
    expect((await readdir(join(local, out))).toSorted()).toEqual(['plain.txt', 'sub']);
  });

  test('a directory does not replace a file', async () => {
    await inside('echo keep > /workspace/file');
    for (const target of ['/workspace/file', '/workspace/file/']) {
      const refused = await cp(['tree', `${box.id}:${target}`]);
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('file') });
    }
    expect(await inside('cat /workspace/file')).toBe('keep\n');
    expect((await cp([`${box.id}:/workspace`, 'tree/plain.txt'])).exitCode).toBe(2);
    expect((await cp([`${box.id}:/none`, 'x'])).exitCode).toBe(3);
    expect((await cp(['none', `${box.id}:/workspace`])).exitCode).toBe(1);
  });

  test('what is left out', async () => {
    const dir = join(local, `ignore-${isolation}`);
    await mkdir(join(dir, 'node_modules'), { recursive: true });
    for (const name of ['a.js', 'a.log', 'secret', 'node_modules/x']) {
      await writeFile(join(dir, name), '');
    }
    await writeFile(join(dir, '.sandportignore'), '*.log\n');
    await writeFile(join(local, 'patterns'), '# a note\nsecret\n');
    const names = async (flags: readonly string[]) => {
      await inside('rm -rf /workspace/kept');
      expect(await cp([...flags, dir, `${box.id}:/workspace/kept`])).toEqual(quiet);
      const listed = await inside("cd /workspace/kept && find . -type f ! -name '.s*' | sort");
      return listed.trimEnd().split('\n');
    };
    expect(await names(['--exclude', 'node_modules'])).toEqual(['./a.js', './secret']);
    expect(await names(['--no-ignore', '--ignore-file', 'patterns'])).toEqual([
      './a.js',
      './a.log',
      './node_modules/x',
    ]);
    const out = join(local, `ignored-${isolation}`);
    await cp(['--exclude', 'node_modules', '--exclude', '*.js', `${box.id}:/workspace/kept`, out]);
    expect((await readdir(out)).toSorted()).toEqual(['.sandportignore', 'a.log']);
  });

  test('links of a guest that lead out of the directory stay behind', async () => {
    await inside('mkdir -p /workspace/evil && ln -s /etc/passwd /workspace/evil/passwd');
    const out = join(local, `evil-${isolation}`);
    const skipped = await cp([`${box.id}:/workspace/evil`, out]);
    expect(skipped).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('passwd') });
    expect(await readdir(out)).toEqual([]);
    const json = await cp(['--json', `${box.id}:/workspace/evil/.`, out]);
    expect(JSON.parse(json.stdout.toString())).toMatchObject({
      symlinks: 0,
      skipped: [{ path: 'passwd' }],
    });
    expect(await cp(['--unsafe-links', `${box.id}:/workspace/evil/.`, out])).toEqual(quiet);
    expect(await readdir(out)).toEqual(['passwd']);
  });

  test('limits hold against what a guest sends', async () => {
    await inside('mkdir -p /workspace/big && truncate -s 100M /workspace/big/zeros');
    const bytes = await cp(['--max-bytes', '10m', `${box.id}:/workspace/big`, `big-${isolation}`]);
    expect(bytes.exitCode).toBe(1);
    const entries = await cp(['--max-entries', '3', `${box.id}:/usr/share`, `usr-${isolation}`]);
    expect(entries.exitCode).toBe(1);
    expect(await leftovers(local)).toEqual([]);
  });

  test('JSON says what was copied', async () => {
    const { stdout } = await cp(['-z', '--json', 'tree', `${box.id}:/workspace/json`]);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      path: '/workspace/json',
      files: 13,
      directories: 5,
      symlinks: 3,
      bytes: expect.any(Number),
      skipped: [],
      duration_ms: expect.any(Number),
    });
  });

  test('within a sandbox, and between two', async () => {
    await cp(['tree', `${box.id}:/workspace/from`]);
    const within = `${box.id}:/workspace/within`;
    expect(await cp([`${box.id}:/workspace/from`, within])).toEqual(quiet);
    expect(await cp([`${box.id}:/workspace/from/.`, within])).toEqual(quiet);
    expect(await cp([`${box.id}:/workspace/from/run.sh`, `${within}/sub/`])).toEqual(quiet);
    const between = `${other.id}:/workspace/between`;
    expect(await cp([within, between])).toEqual(quiet);
    expect(await cp([`${box.id}:/workspace/from/run.sh`, `${between}/sub/`])).toEqual(quiet);
    expect(await inside('cd /workspace/between && sub/run.sh && cat link', other.id)).toBe(
      'ran\nplain\n',
    );
    const out = `both-${isolation}`;
    await cp([between, out]);
    await rm(join(local, out, 'sub/run.sh'));
    expect(await describeTree(join(local, out))).toEqual(await describeTree(join(local, 'tree')));
  });

  test('Ctrl-C in a directory leaves nothing half-written on either side', async () => {
    const many = join(local, 'many');
    await makeManyFiles(many, 5000);
    const late = join(many, 'z-large');
    await writeFile(late, '');
    await truncate(late, 3 * 1024 ** 3);
    const soon = { timeoutMs: 30_000, what: 'the first file' };
    const begun = async () => ((await inside('ls /workspace/many')) === '' ? undefined : true);
    const up = await cp(['many', `${box.id}:/workspace/many`], {
      interrupt: () => waitFor(begun, soon),
    });
    expect(up).toEqual({ ...quiet, exitCode: 130 });
    // Files that are there are whole; nothing else is.
    const check = "cd /workspace/many && find . -name '.s*' -o -name 'z*' -o -name 'f*' -size 0";
    await expect.poll(() => inside(check)).toBe('');

    await inside('mkdir -p /workspace/down && truncate -s 3G /workspace/down/large');
    const out = join(local, `down-${isolation}`);
    const seen = async () => (await readdir(out).catch(() => []))[0];
    const down = await cp([`${box.id}:/workspace/down`, out], {
      interrupt: () => waitFor(seen, soon),
    });
    expect(down).toEqual({ ...quiet, exitCode: 130 });
    expect(await readdir(out).catch(() => [])).toEqual([]);
    await rm(many, { recursive: true });
  });
});

/** Temporary files that a transfer did not remove. */
async function leftovers(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  const found: string[] = [];
  for (const name of names) {
    if (/\.sandport-[0-9a-f]/.test(name) && (await stat(join(root, name))).isFile())
      found.push(name);
  }
  return found;
}
