import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onEachIsolation, testRun, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { runSandport, type SandportOptions } from './run-sandport.ts';

const used = useDaemon();
let local: string;
beforeAll(() => {
  local = mkdtempSync(join(testRun().tempDir, 'cli-cp-'));
});
afterAll(() => rm(local, { recursive: true, force: true }));

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const cp = (args: readonly string[], options: SandportOptions = {}) =>
    runSandport(used, ['cp', ...args], { cwd: local, ...options });
  const inside = async (line: string) =>
    (await runSandport(used, ['exec', box.id, line])).stdout.toString();
  const soon = { timeoutMs: 10_000, what: 'the first bytes' };
  const quiet = { stdout: Buffer.alloc(0), stderr: '', exitCode: 0 };

  test('a file goes in and comes out', async () => {
    const bytes = randomBytes(3_000_000);
    await writeFile(join(local, 'in.bin'), bytes);
    expect(await cp(['in.bin', `${box.id}:/workspace/new/in.bin`])).toEqual(quiet);
    expect(await cp([`${box.id}:/workspace/new/in.bin`, 'made/here/out.bin'])).toEqual(quiet);
    expect((await readFile(join(local, 'made/here/out.bin'))).equals(bytes)).toBe(true);
  });

  test('a directory as target keeps the name', async () => {
    await writeFile(join(local, 'named.txt'), 'text');
    for (const target of ['/workspace', '/workspace/', '/workspace/fresh/'])
      expect(await cp(['named.txt', `${box.id}:${target}`])).toEqual(quiet);
    expect(await inside('cat /workspace/named.txt /workspace/fresh/named.txt')).toBe('texttext');
    await mkdir(join(local, `dir-${isolation}`));
    for (const target of [`dir-${isolation}`, `slash-${isolation}/`]) {
      expect(await cp([`${box.id}:/workspace/named.txt`, target])).toEqual(quiet);
      expect(await readFile(join(local, target, 'named.txt'), 'utf8')).toBe('text');
    }
  });

  test('- is standard input and output', async () => {
    const bytes = randomBytes(1_500_000);
    expect(await cp(['-', `${box.id}:/workspace/piped`], { stdin: bytes })).toEqual(quiet);
    const out = await cp([`${box.id}:/workspace/piped`, '-']);
    expect(out.stdout.equals(bytes)).toBe(true);
  });

  test('a program stays executable; JSON says what was copied', async () => {
    await writeFile(join(local, 'tool'), '#!/bin/sh\necho works\n');
    await chmod(join(local, 'tool'), 0o755);
    const path = `/workspace/tool-${isolation}`;
    const { stdout } = await cp(['tool', `${box.id}:${path}`, '--json']);
    expect(JSON.parse(stdout.toString())).toMatchObject({ path, bytes: 21 });
    expect(await inside(path)).toBe('works\n');
  });

  test('what cannot be copied is named', async () => {
    const missing = await cp(['none', `${box.id}:/workspace/x`]);
    expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('none') });
    const remote = await cp([`${box.id}:/none`, 'x']);
    expect(remote).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('/none') });
    expect((await cp(['-', `${box.id}:/workspace/`])).exitCode).toBe(2);
    expect((await cp(['a', 'b'])).exitCode).toBe(2);
  });

  test('an input that does not end does not keep a failed copy alive', async () => {
    const refused = cp(['-', `${box.id}:/etc/passwd/x`], { stdin: { endless: 'x' } });
    expect((await refused).exitCode).toBe(1);
  });

  test('Ctrl-C leaves nothing half-written on either side', async () => {
    const target = `target-${isolation}`;
    await mkdir(join(local, target));
    await inside('mkdir -p /workspace/half && truncate -s 10G /workspace/large');
    const down = await cp([`${box.id}:/workspace/large`, `${target}/large`], {
      interrupt: () => waitFor(async () => (await readdir(join(local, target)))[0], soon),
    });
    expect([down.exitCode, await readdir(join(local, target))]).toEqual([130, []]);
    // More than all buffers on the way hold.
    const up = await cp(['-', `${box.id}:/workspace/half/large`], {
      stdin: { endless: Buffer.alloc(64 * 1024 * 1024) },
      interrupt: () => Promise.resolve(),
    });
    expect(up.exitCode).toBe(130);
    await expect.poll(() => inside('ls -A /workspace/half')).toBe('');
  });
});
