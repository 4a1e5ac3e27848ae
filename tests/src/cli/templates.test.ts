import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  dockerArchive,
  type ImageSpec,
  layer,
  staticProgram,
  testRun,
  useDaemon,
  writeLayout,
} from '../harness/index.ts';
import { runSandport, type SandportOptions } from './run-sandport.ts';

const room = mkdtempSync(join(testRun().tempDir, 'cli-templates-'));
const used = useDaemon({
  env: { SANDPORT_TEMPLATES_DIR: join(room, 'templates') },
  args: ['--prepare', 'none'],
});
afterAll(() => rm(room, { recursive: true, force: true }));

const sandport = async (args: readonly string[], options: SandportOptions = {}) => {
  const { stdout, ...rest } = await runSandport(used, args, options);
  return { stdout: stdout.toString(), ...rest };
};
const json = async (...args: string[]): Promise<unknown> => {
  const { stdout, stderr, exitCode } = await sandport(['--json', ...args]);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
};

/** An image with one program and nothing else. */
const image: ImageSpec = {
  layers: [layer({ name: 'show', content: staticProgram(), mode: 0o755 })],
  config: { Env: ['GREETING=hello'] },
};

test('archives and layouts of this machine, versions, and a template from a sandbox', async () => {
  const archive = join(room, 'image.tar');
  writeFileSync(archive, dockerArchive(image));
  const built = await sandport(['template', 'build', 'mine', '--archive', archive]);
  expect(built).toMatchObject({ stdout: 'mine\n', exitCode: 0 });
  expect(built.stderr).not.toBe('');
  const taken = await sandport(['template', 'create', 'mine', '--archive', archive]);
  expect(taken).toMatchObject({ stdout: '', exitCode: 1 });
  expect(taken.stderr).toContain('--replace');

  const directory = join(room, 'layout');
  mkdirSync(directory);
  const layout = writeLayout(directory, image);
  const how = ['--replace', '--description', 'the second one', '--env', 'A=b'];
  const again = await json('template', 'build', 'mine', '--archive', layout, ...how);
  expect(again).toMatchObject({
    description: 'the second one',
    env: { GREETING: 'hello', A: 'b' },
  });
  expect(await json('template', 'show', 'mine')).toEqual(again);

  await sandport(['create', 'mine', '--name', 'box']);
  await sandport(['cp', '-', 'box:/workspace/kept'], { stdin: 'kept\n' });
  const copied = await sandport(['template', 'build', 'copy', '--from-sandbox', 'box']);
  expect(copied).toMatchObject({ stdout: 'copy\n', exitCode: 0 });
  await sandport(['kill', 'box']);
  await sandport(['create', 'copy', '--name', 'next']);
  expect((await sandport(['fs', 'cat', 'next:/workspace/kept'])).stdout).toBe('kept\n');
  await sandport(['kill', 'next']);
  expect((await sandport(['template', 'rm', 'copy', 'mine'])).stdout).toBe('copy\nmine\n');
  const gone = await sandport(['template', 'show', 'mine']);
  expect(gone).toMatchObject({ stdout: '', exitCode: 3 });
});

test('builds that nobody waits for, their logs, and what goes wrong', async () => {
  const archive = join(room, 'detached.tar');
  writeFileSync(archive, dockerArchive(image));
  const begun = await sandport(['template', 'build', 'later', '--archive', archive, '--detach']);
  const id = begun.stdout.trim();
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  const logs = await sandport(['template', 'logs', id]);
  expect(logs).toMatchObject({ exitCode: 0, stderr: '' });
  expect(logs.stdout).not.toBe('');
  const builds = await json('template', 'builds', 'later');
  expect(builds).toMatchObject([{ id, name: 'later', status: 'done' }]);

  const bad = join(room, 'bad.tar');
  writeFileSync(bad, 'no archive');
  const failed = await sandport(['template', 'build', 'bad', '--archive', bad]);
  expect(failed).toMatchObject({ stdout: '', exitCode: 1 });
  expect(failed.stderr).toMatch(/^sandport: /m);
  const absent = await sandport(['template', 'build', 'bad', '--archive', join(room, 'none')]);
  expect(absent).toMatchObject({ stdout: '', exitCode: 1 });
  const two = ['template', 'build', 'bad', '--image', 'a', '--packages', 'jq'];
  expect((await sandport(two)).exitCode).toBe(2);
  expect((await sandport(['template', 'logs', id.replace(/^./, 'x')])).exitCode).toBe(3);
});
