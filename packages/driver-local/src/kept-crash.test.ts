import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SandboxSpec } from '@sandport/driver';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createLocalDriver } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';

const dataDir = testDataDir('kept-crash');
const layout = new Layout(dataDir);
const open = () => createLocalDriver({ dataDir, templatesDir });
const driver = await open();
const isolations = driver.isolations;
await driver[Symbol.asyncDispose]();

const megabyte = 1_000_000;
const key = '00112233445566778899aabbccddeeff';
const lastNumber = 1_500_000;

/** A daemon: starts the command, or takes it over, and says again and again how far it is. */
const daemon = `
import { createLocalDriver } from '@sandport/driver-local';
const [dataDir, templatesDir, specText, key, script] = process.argv.slice(1);
const spec = JSON.parse(specText);
const driver = await createLocalDriver({ dataDir, templatesDir });
const { running } = await driver.adopt({ sandboxes: [spec], snapshots: [] });
const sandbox = running[0] ?? (await driver.create(spec));
const kept = sandbox.commands.kept().find((command) => command.key === key) ??
  (await sandbox.commands.keep({ key, args: ['sh', '-c', script], outputLimitBytes: 2 ** 30 }));
setInterval(() => console.log(kept.range('stdout').endOffset), 2);
`;

/** Runs a daemon, which is killed when the command has written so much, or has ended. */
async function daemonUntil(spec: SandboxSpec, script: string, bytes: number): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', daemon, dataDir, templatesDir, JSON.stringify(spec), key, script],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    if (Number(line) < bytes) continue;
    child.kill('SIGKILL');
    break;
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function expectedHash(): string {
  const hash = createHash('sha256');
  for (let from = 1; from <= lastNumber; from += 100_000) {
    const numbers = Array.from({ length: 100_000 }, (_, at) => `${from + at}\n`);
    hash.update(numbers.join(''));
  }
  return hash.digest('hex');
}

describe.each(isolations)('daemons that are killed while a command writes, %s', (isolation) => {
  afterEach(async () => {
    await using next = await open();
    await next.adopt({ sandboxes: [], snapshots: [] });
  });

  test('every byte is there once, and so is the end', async () => {
    const spec = testSpec(isolation);
    const script = `echo begun >&2; seq 1 ${lastNumber}; exit 9`;
    for (const megabytes of [0.05, 4]) await daemonUntil(spec, script, megabytes * megabyte);
    await using last = await open();
    const [sandbox] = (await last.adopt({ sandboxes: [spec], snapshots: [] })).running;
    const [command] = sandbox?.commands.kept() ?? [];
    if (command === undefined) throw new Error('nothing is kept');
    expect(command.key).toBe(key);
    const hash = createHash('sha256');
    let at = 0;
    for await (const { offset, bytes } of command.read('stdout', { follow: true })) {
      expect(offset).toBe(at);
      at += bytes.length;
      hash.update(bytes);
    }
    expect(hash.digest('hex')).toBe(expectedHash());
    const { value } = await command.read('stderr').next();
    expect(String(value?.bytes)).toBe('begun\n');
    expect(command.end).toMatchObject({ exitCode: 9 });
    await last.remove(spec.id);
    expect(await leftovers(layout)).toEqual([]);
  });
});

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
