import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repoDir, testRun, useDaemon } from '../harness/index.ts';
import { codeBlocks } from './quick-start-blocks.ts';

// Every block of the README's quick start, as it stands there, in a home directory that knows the
// daemon only by the client.json that a daemon writes.
const used = useDaemon();
const run = promisify(execFile);
const sorted = '1\n2\n3\n';

const readme = await readFile(join(repoDir, 'README.md'), 'utf8');
function blockUnder(heading: string): string {
  const block = codeBlocks(readme).find((each) => each.heading === heading);
  if (block === undefined) throw new Error(`README.md has no block of code under "${heading}"`);
  return block.code;
}

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(testRun().tempDir, 'reader-'));
  const config = join(home, '.config/sandport');
  await mkdir(config, { recursive: true });
  const { url, apiKey } = used.daemon;
  await writeFile(join(config, 'client.json'), JSON.stringify({ url, api_key: apiKey }));
  await symlink(join(repoDir, 'node_modules'), join(home, 'node_modules'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Runs a program as the reader would: nothing in the environment but the home directory. */
async function asReader(program: string, args: readonly string[]): Promise<string> {
  const PATH = [join(repoDir, 'node_modules/.bin'), process.env['PATH']].join(':');
  const env = { PATH, HOME: home };
  const { stdout } = await run(program, args, { cwd: home, env, timeout: 60_000 });
  return stdout;
}

const save = async (name: string, text: string): Promise<string> => {
  await writeFile(join(home, name), text);
  return join(home, name);
};

/** The downloaded file is right, and no sandbox is left. */
async function expectResult(): Promise<void> {
  expect(await readFile(join(home, 'sorted.txt'), 'utf8')).toBe(sorted);
  await rm(join(home, 'sorted.txt'));
  expect(await used.api.list()).toEqual([]);
}

test('TypeScript: compiles under strict rules, and runs', async () => {
  const source = await save('quick-start.ts', blockUnder('TypeScript'));
  await save('package.json', '{"type":"module"}');
  const types = ['--types', 'node', '--typeRoots', join(repoDir, 'node_modules/@types')];
  const target = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck'];
  await asReader('tsc', [...target, ...types, source]);
  const output = await asReader(process.execPath, [join(home, 'quick-start.js')]);
  expect(output).toBe(`exit code 0\n${sorted}\n`);
  await expectResult();
});

test('Python: runs', async () => {
  const source = await save('quick-start.py', blockUnder('Python'));
  const output = await asReader(join(repoDir, '.venv/bin/python'), [source]);
  expect(output).toBe(`exit code 0\n${sorted}\n`);
  await expectResult();
});

test('curl: runs', async () => {
  const source = await save('quick-start.sh', blockUnder('curl'));
  await asReader('bash', ['-euo', 'pipefail', source]);
  await expectResult();
});

test('command line: runs', async () => {
  await save('data.csv', 'a,b\n1,2\n');
  const source = await save('commands.sh', blockUnder('Command line'));
  const output = await asReader('bash', ['-euo', 'pipefail', source]);
  expect(output).toContain('2 /workspace/data.csv');
  expect(await used.api.list()).toEqual([]);
});

test('the quick starts have at most 15 lines', () => {
  for (const heading of ['TypeScript', 'Python', 'curl'])
    expect(blockUnder(heading).trim().split('\n').length, heading).toBeLessThanOrEqual(15);
});
