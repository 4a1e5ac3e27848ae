import { appendFileSync, copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverSandbox } from '@sandport/driver';
import { parseGuestPath } from '@sandport/protocol';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { createLocalDriver, makeContext } from './create-local-driver.ts';
import { Layout } from './layout.ts';
import { LocalDriver } from './local-driver.ts';
import { leftovers, templatesDir, testDataDir, testSpec } from './testing/test-machine.ts';

const dataDir = testDataDir('hostile-hibernation');
const layout = new Layout(dataDir);
const open = () => createLocalDriver({ dataDir, templatesDir });
const driver = await open();
const { memoryIsolations } = driver;
await driver[Symbol.asyncDispose]();

async function start({ commands }: DriverSandbox, program: string, user = 'user') {
  const command = await commands.start({ args: ['python3', '-c', program], user });
  command.exit.catch(() => {});
  command.stderr.resume();
  return command;
}

async function shell({ commands }: DriverSandbox, script: string): Promise<string> {
  const command = await commands.start({ args: ['sh', '-c', script], user: 'root' });
  command.stderr.resume();
  return text(command.stdout);
}

describe.runIf(memoryIsolations.includes('gvisor'))('a guest that does not want to sleep', () => {
  afterEach(async () => {
    await using next = await open();
    await next.adopt({ sandboxes: [], snapshots: [] });
    expect(await leftovers(layout)).toEqual([]);
  });

  test('and holds the socket of the host: it loses its memory, and nothing else', async () => {
    const spec = testSpec('gvisor');
    const first = await open();
    await first.adopt({ sandboxes: [], snapshots: [] });
    // The socket is there only while no init is connected, as when the daemon starts anew: the
    // guest stops its init, so that it is first at every run of this test.
    const grab =
      'import os,signal,socket,time\nopen("/tmp/ready","w")\nos.kill(1,signal.SIGSTOP)\nheld=[]\n' +
      'while not held:\n  s=socket.socket(socket.AF_UNIX)\n  try:\n' +
      '    s.connect("/run/sandport/init.sock"); held.append(s); open("/tmp/held","w")\n' +
      '  except OSError: s.close()\n' +
      'os.kill(1,signal.SIGCONT)\ntime.sleep(600)';
    const sandbox = await first.create(spec);
    await start(sandbox, grab, 'root');
    await vi.waitFor(() => sandbox.files.stat(parseGuestPath('/tmp/ready')), 10_000);
    await first[Symbol.asyncDispose]();
    await using next = await open();
    const [adopted] = (await next.adopt({ sandboxes: [spec], snapshots: [] })).running;
    if (!adopted) throw new Error('it was not adopted');
    const held = async () => (await shell(adopted, 'ls /tmp')).includes('held');
    expect(await held()).toBe(true);
    const asleep = await next.hibernate(spec.id);
    const woken = await next.wake(spec);
    expect(woken.memory).toBe(asleep.hibernation.memory);
    if (!woken.memory) expect(woken.fallback).toMatch(/its memory could not be/);
    expect(await shell(woken.sandbox, 'echo up; ls /tmp')).toContain('up\nheld');
    await next.remove(spec.id);
  });

  test('and makes processes, files and memory meanwhile: it sleeps, or goes on', async () => {
    const spec = testSpec('gvisor');
    await using next = await open();
    await next.adopt({ sandboxes: [], snapshots: [] });
    let sandbox: DriverSandbox = await next.create(spec);
    const busy =
      'import os,tempfile,threading,mmap,time\n' +
      'def files():\n  while 1:\n    f=tempfile.TemporaryFile(dir="/tmp"); f.write(b"x"*70000); f.close()\n' +
      'def forks():\n  while 1:\n    p=os.fork()\n    if p==0: os._exit(0)\n    os.waitpid(p,0)\n' +
      'def memory():\n  while 1:\n    m=mmap.mmap(-1,8<<20); m[:]=b"y"*(8<<20); m.close()\n' +
      'for t in (files,forks,memory): threading.Thread(target=t,daemon=True).start()\ntime.sleep(600)';
    await start(sandbox, busy);
    for (let round = 0; round < 4; round++) {
      await sleep(200);
      const outcome = await next.hibernate(spec.id).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({ code: 'hibernate_failed' });
      } else {
        const woken = await next.wake(spec);
        sandbox = woken.sandbox;
        if (!woken.memory) await start(sandbox, busy);
      }
      expect(await shell(sandbox, 'echo up')).toBe('up\n');
    }
    await next.remove(spec.id);
  });

  test('comes back with the init that it fell asleep with', async () => {
    const context = await makeContext({ dataDir, templatesDir });
    const other = join(layout.initBinaries, 'init-other');
    copyFileSync(context.initBinary, other);
    appendFileSync(other, 'another release');
    const spec = testSpec('gvisor');
    const initOf = () => {
      const file = join(layout.sandbox(spec.id).bundle, 'config.json');
      return /"source":"([^"]*\/init-[^"]*)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
    };
    const first = new LocalDriver({ ...context, initBinary: other });
    await first.adopt({ sandboxes: [], snapshots: [] });
    await first.create(spec);
    await first.hibernate(spec.id);
    await first[Symbol.asyncDispose]();
    rmSync(other);
    await using next = await open();
    await next.adopt({ sandboxes: [spec], snapshots: [] });
    expect((await next.wake(spec)).memory).toBe(true);
    expect(readFileSync(initOf()).subarray(-15).toString()).toBe('another release');
    // Whatever starts anew has the new one.
    process.kill(await pidOf(spec.id), 'SIGKILL');
    const again = async () => (await next.wake(spec)).memory;
    await expect.poll(again, { timeout: 5_000 }).toBe(false);
    expect(initOf()).toBe(context.initBinary);
    await next.remove(spec.id);
  });
});

async function pidOf(id: string): Promise<number> {
  return Number(readFileSync(layout.sandbox(id).pidFile, 'utf8'));
}

test('the driver says what keeps memory', () => {
  expect(['gvisor']).toEqual(expect.arrayContaining([...memoryIsolations]));
});

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
