import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, NetworkError, Sandbox, type TransferRetry } from 'sandport';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CuttingProxy, testRun, useDaemon } from '../harness/index.ts';
import { failure } from './sdk-sandbox.ts';

const mib = 1024 * 1024;
const bytes = randomBytes(20 * mib + 7);
const used = useDaemon();

let proxy: CuttingProxy;
let client: Client;
let sandbox: Sandbox;
let local: string;
let retries: TransferRetry[];
beforeAll(async () => {
  proxy = await CuttingProxy.start(() => used.daemon.url);
  client = new Client({ url: proxy.url, apiKey: used.daemon.apiKey });
  sandbox = await Sandbox.create({}, client);
  local = mkdtempSync(join(testRun().tempDir, 'sdk-retries-'));
  writeFileSync(join(local, 'source'), bytes);
  await sandbox.files.write('/workspace/file', bytes);
});
afterAll(async () => {
  await sandbox.kill();
  client.close();
  await proxy[Symbol.asyncDispose]();
  rmSync(local, { recursive: true });
});
beforeEach(() => {
  retries = [];
  proxy.clear();
});
const onRetry = (retry: TransferRetry) => void retries.push(retry);

test('an upload in parts tells that it goes on', async () => {
  proxy.cutAfter(3 * mib);
  const how = { resumableAboveBytes: mib, onRetry };
  await sandbox.files.upload(join(local, 'source'), '/workspace/up', how);
  expect(retries.length).toBeGreaterThanOrEqual(1);
  expect(retries[0]?.error).toBeInstanceOf(NetworkError);
  expect(retries[0]?.delayMs).toBeGreaterThan(0);
  expect(bytes.equals(Buffer.from(await sandbox.files.readBytes('/workspace/up')))).toBe(true);
});

test('a download tells that it goes on', async () => {
  proxy.cutAnswersAfter(3 * mib);
  await sandbox.files.download('/workspace/file', join(local, 'down'), { onRetry });
  expect(retries.map(({ error }) => error.code)).toEqual(['network_error']);
  expect(readFileSync(join(local, 'down')).equals(bytes)).toBe(true);
});

test('what it throws ends the download, which leaves nothing', async () => {
  proxy.cutAnswersAfter(3 * mib);
  const enough = () => {
    throw new Error('enough');
  };
  const ended = sandbox.files.download('/workspace/file', join(local, 'ended'), {
    onRetry: enough,
  });
  expect(await failure(ended)).toMatchObject({ message: 'enough' });
  expect(readdirSync(local)).not.toContain('ended');
});
