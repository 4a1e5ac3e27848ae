import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readClientFile, writeClientFile, writeUserClientFile } from './client-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandport-client-'));
});
afterEach(() => rm(directory, { recursive: true }));

const content = { url: 'http://127.0.0.1:1', api_key: 'sp_x' };

test('comes back as written, for its owner only, with nothing beside it', async () => {
  const file = join(directory, 'client.json');
  await writeClientFile(file, { ...content, api_key: 'old' });
  await writeClientFile(file, content);
  expect(await readClientFile(file)).toEqual(content);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['client.json']);
});

test('a missing or torn file is none', async () => {
  expect(await readClientFile(join(directory, 'client.json'))).toBeUndefined();
});

test("goes to the user's configuration, with directories that are made", async () => {
  await writeUserClientFile(content, { XDG_CONFIG_HOME: join(directory, 'deep', 'config') });
  const file = join(directory, 'deep', 'config', 'sandport', 'client.json');
  expect(await readClientFile(file)).toEqual(content);
});
