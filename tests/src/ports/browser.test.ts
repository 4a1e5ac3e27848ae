import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { previewTokenSchema } from '@sandport/protocol';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isolationsHere, json, testRun, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { startWebServer } from './web-server.ts';

const chromium = '/usr/bin/chromium';
const isHere = existsSync(chromium);
const used = useDaemon();
const [isolation = 'container'] = await isolationsHere();
const sandbox = useSandbox(used, isolation);
const run = promisify(execFile);
let profile: string | undefined;

beforeEach((context) => {
  if (!isHere) context.skip('Chromium is not on this machine');
});
beforeAll(async () => {
  profile = await mkdtemp(join(testRun().tempDir, 'chromium-'));
  if (isHere) await startWebServer(used.api, sandbox.id, 3000);
});
afterAll(async () => {
  if (profile === undefined) return;
  await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

const flags = () => [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  `--user-data-dir=${profile}`,
];

/** A browser that is killed leaves temporary files. */
const ownFiles = () => ({ ...process.env, TMPDIR: profile });

async function sign() {
  const path = `/v1/sandboxes/${sandbox.id}/preview-token`;
  const made = await used.api.sendJson('POST', path, { port: 3000 });
  return previewTokenSchema.parse(json(made, 200));
}

test('an application works at the address of its port, and does not see the link', async () => {
  const { preview_url: url } = await sign();
  const own = url.replace(/\?.*/, 'page');
  // In a group of its own, so that its helpers end with it.
  const browser = spawn(chromium, [...flags(), url.replace('/?', '/page?')], {
    detached: true,
    env: ownFiles(),
    stdio: 'ignore',
  });
  try {
    // A request, a WebSocket, its own cookie only, and an address without the link.
    const report = `/v1/sandboxes/${sandbox.id}/proxy/3000/report`;
    const reported = await waitFor(
      async () => (await used.api.send('GET', report)).body.toString() || undefined,
      { timeoutMs: 50_000, intervalMs: 100, what: 'the report of the page' },
    );
    expect(reported).toBe(`1|from the page|own=1|${own}`);
  } finally {
    process.kill(-(browser.pid ?? Number.NaN), 'SIGKILL');
    await once(browser, 'close');
  }
});

test('a page below the address of the API has no part in its origin', async () => {
  const { url } = await sign();
  const args = [...flags(), '--timeout=30000', '--dump-dom', `${url}origin`];
  const { stdout } = await run(chromium, args, { timeout: 50_000, env: ownFiles() });
  expect(stdout).toContain('<title>null refused refused</title>');
});
