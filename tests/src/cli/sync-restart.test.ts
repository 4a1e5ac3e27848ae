import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Sandbox } from 'sandport';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, startDaemon, type TestDaemon, testRun } from '../harness/index.ts';
import { runSandport } from './run-sandport.ts';

// One address over all starts.
let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon({ args: ['--listen', `127.0.0.1:${await freePort()}`] });
});
afterAll(() => daemon[Symbol.asyncDispose]());

test('sync --watch down goes on after the daemon was killed and started again', async () => {
  const { url, apiKey, api } = daemon;
  const local = mkdtempSync(join(testRun().tempDir, 'sync-restart-'));
  await using sandbox = await Sandbox.create({}, new Client({ url, apiKey }));
  await sandbox.filesystem.write('/workspace/w/one', '1');
  const read = (name: string) => () => readFile(join(local, name), 'utf8').catch(() => undefined);
  const args = ['sync', '--watch', `${sandbox.id}:/workspace/w`, local];
  const ran = await runSandport({ daemon, api }, args, {
    interrupt: async () => {
      await expect.poll(read('one'), { timeout: 20_000 }).toBe('1');
      await daemon.kill9();
      await daemon.start();
      await sandbox.filesystem.write('/workspace/w/two', '2');
      await expect.poll(read('two'), { timeout: 20_000 }).toBe('2');
    },
  });
  expect(ran.exitCode).toBe(130);
  expect(ran.stderr).toMatch(/^sandport: .*(broke|refused|ended)/m);
  rmSync(local, { recursive: true });
});
