import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { onEachIsolation, testRun, useDaemon, waitFor } from '../harness/index.ts';
import { useSdkSandbox } from './sdk-sandbox.ts';

const used = useDaemon();

let local: string;
beforeEach(() => {
  local = mkdtempSync(join(testRun().tempDir, 'sdk-killed-'));
});
afterEach(() => rmSync(local, { recursive: true, force: true }));

/** Runs a statement with `files` in a process of its own, and kills it in the midst of it. */
async function killDuring(id: string, statement: string, underWay: () => boolean): Promise<void> {
  const program = `
    import { Client, Sandbox } from 'sandport';
    const client = new Client({ url: ${JSON.stringify(used.daemon.url)}, apiKey: ${JSON.stringify(used.daemon.apiKey)} });
    const { files } = await Sandbox.get(${JSON.stringify(id)}, client);
    ${statement}`;
  const args = ['--input-type=module', '--eval', program];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: import.meta.dirname,
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await waitFor(() => underWay() || child.exitCode !== null, { intervalMs: 1 });
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

onEachIsolation(used, (isolation) => {
  const made = useSdkSandbox(used, isolation);
  const files = () => made.sandbox.files;

  test('a client that is killed leaves no half file under its name here', async () => {
    await files().write('/workspace/big', Buffer.alloc(48 * 1024 * 1024, 'x'));
    const target = join(local, 'target');
    writeFileSync(target, 'old');
    const begun = () => readdirSync(local).length > 1;
    const statement = `await files.download('/workspace/big', ${JSON.stringify(target)});`;
    await killDuring(made.sandbox.id, statement, begun);
    const bytes = readFileSync(target);
    expect(bytes.equals(Buffer.from('old')) || bytes.length === 48 * 1024 * 1024).toBe(true);
  });

  test('a client that is killed leaves whole files of a directory here', async () => {
    const line =
      'mkdir -p /workspace/many; cd /workspace/many; head -c 30000000 /dev/zero | split -b 50000 -a 3';
    await made.sandbox.exec(line, { check: true });
    const target = join(local, 'target');
    const begun = () => existsSync(target) && readdirSync(target).length > 50;
    const statement = `await files.downloadDir('/workspace/many', ${JSON.stringify(target)});`;
    await killDuring(made.sandbox.id, statement, begun);
    for (const name of readdirSync(target).filter((each) => !each.endsWith('.part')))
      expect(statSync(join(target, name)).size).toBe(50_000);
  });

  test('a client that is killed leaves whole files in the sandbox', async () => {
    const source = join(local, 'source');
    mkdirSync(source);
    for (let index = 0; index < 40; index++)
      writeFileSync(join(source, `f${index}`), Buffer.alloc(1_000_000, index));
    const marker = join(local, 'marker');
    const statement = `
      import { writeFileSync } from 'node:fs';
      await files.uploadDir(${JSON.stringify(source)}, '/workspace/up', {
        onProgress: ({ files }) => files === 15 && writeFileSync(${JSON.stringify(marker)}, ''),
      });`;
    await killDuring(made.sandbox.id, statement, () => existsSync(marker));
    const sizes = async () => (await files().list('/workspace/up')).map(({ size }) => size);
    await expect.poll(async () => new Set(await sizes())).toEqual(new Set([1_000_000]));
  });
});
