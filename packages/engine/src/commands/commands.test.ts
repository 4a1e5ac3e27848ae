import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { namespaceSchema } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test, vi } from 'vitest';
import { Engine } from '../engine.ts';
import { HeldBytes } from '../memory/held-bytes.ts';
import type { Principal } from '../principal.ts';
import { CommandsDriver, FakeCommand, FakeConnection } from '../testing/commands-driver.ts';

const key: Principal = { keyId: 'k' };
const stranger: Principal = {
  keyId: 's',
  namespaces: new Set([namespaceSchema.parse('elsewhere')]),
};

/** An engine with one sandbox. */
async function begin() {
  const state = openState(':memory:');
  const driver = new CommandsDriver();
  const engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  return {
    engine,
    id,
    activity: engine.sandboxes.find(key, id).activity,
    hibernate: () => engine.sandboxes.enter(key, id, 'hibernate'),
    command: () => driver.commands.at(-1) ?? new FakeCommand({ args: [] }),
    connection: () => driver.connections.at(-1) ?? new FakeConnection(),
    [Symbol.dispose]: () => {
      engine[Symbol.dispose]();
      state[Symbol.dispose]();
    },
  };
}

const idle = async (box: { activity: { idleMs: number } }) => {
  await sleep(20);
  return box.activity.idleMs > 10;
};

test('an open command has the ends and the settings that were asked for', async () => {
  using box = await begin();
  const terminal = { columns: 80, rows: 24 };
  const settings = { cwd: '/tmp', env: { A: '1' }, user: 'root', timeoutMs: 500 };
  const open = await box.engine.commands.open(key, box.id, { cmd: 'top', terminal, ...settings });
  expect(box.command().spec).toMatchObject({ args: ['/bin/sh', '-c', 'top'], terminal });
  expect(box.command().spec).toMatchObject(settings);
  expect(open.pid).toBe(7);
  open.resize({ columns: 100, rows: 30 });
  box.command().stdout.write('shown');
  expect(String((await once(open.stdout, 'data'))[0])).toBe('shown');
  box.command().end({ exitCode: 3, timedOut: true });
  expect(await open.exit).toMatchObject({ exit_code: 3, timed_out: true });
  expect(box.command().told).toEqual(['100x30']);
  await box.engine.commands.open(key, box.id, { args: ['ls', '-l'] });
  expect(box.command().spec.args).toEqual(['ls', '-l']);
});

test('an open command keeps the sandbox in use until it has ended, however that is', async () => {
  using box = await begin();
  for (const end of ['end', 'kill', 'fail'] as const) {
    const open = await box.engine.commands.open(key, box.id, { args: ['x'] });
    expect(await idle(box)).toBe(false);
    if (end === 'end') box.command().end();
    else if (end === 'kill') open.kill('SIGHUP');
    else box.command().fail(new Error('gone'));
    await open.exit.catch(() => {});
    expect(await idle(box)).toBe(true);
  }
  await expect(box.engine.commands.open(key, box.id, { args: ['missing'] })).rejects.toMatchObject({
    code: 'command_not_started',
  });
  expect(await idle(box)).toBe(true);
});

test('a command that writes more than its key may hold is killed, and says the way out', async () => {
  using box = await begin();
  const { commands } = box.engine;
  using held = new HeldBytes({ keyLimitBytes: 100 }).share(key);
  const running = commands.run(key, box.id, { cmd: 'yes' }, { held });
  running.catch(() => {});
  await vi.waitFor(() => expect(box.command().spec.args).toContain('yes'));
  box.command().stdout.write(Buffer.alloc(60));
  box.command().stderr.write(Buffer.alloc(60));
  await expect(running).rejects.toMatchObject({
    code: 'limit_reached',
    message: expect.stringContaining('exec/stream'),
  });
  expect((await box.command().exit).signal).toBe('SIGKILL');
});

test('a signal ends what it was given with, before, at and after the start', async () => {
  using box = await begin();
  const { commands } = box.engine;
  const request = { args: ['x'] };
  const reason = new Error('enough');
  const aborted = { signal: AbortSignal.abort(reason) };
  await expect(commands.open(key, box.id, request, aborted)).rejects.toBe(reason);
  await expect(commands.connect(key, box.id, 80, aborted)).rejects.toBe(reason);
  const starting = new AbortController();
  const opening = commands.open(key, box.id, request, { signal: starting.signal });
  starting.abort();
  expect(await (await opening).exit).toMatchObject({ exit_code: 137 });
  const running = new AbortController();
  const open = await commands.open(key, box.id, request, { signal: running.signal });
  const connection = await commands.connect(key, box.id, 80, { signal: running.signal });
  running.abort();
  expect((await open.exit).signal).toBe('SIGKILL');
  expect(connection.destroyed).toBe(true);
  expect(await idle(box)).toBe(true);
});

test('a command and a connection wake a sandbox that is hibernated', async () => {
  using box = await begin();
  const woken: boolean[] = [];
  const onWake = ({ memory }: { memory: boolean }) => woken.push(memory);
  await box.hibernate();
  const open = await box.engine.commands.open(key, box.id, { args: ['x'] }, { onWake });
  open.kill();
  await open.exit;
  await box.hibernate();
  await box.engine.commands.connect(key, box.id, 80, { onWake });
  expect(woken).toEqual([true, true]);
});

test('a connection is use while bytes move', async () => {
  using box = await begin();
  const connection = await box.engine.commands.connect(key, box.id, 80);
  expect(box.activity.idleMs).toBeLessThan(10);
  expect(await idle(box)).toBe(true);
  box.connection().bytesRead += 1;
  expect(box.activity.idleMs).toBeLessThan(10);
  box.connection().bytesWritten += 1;
  expect(await idle(box)).toBe(false);
  connection.destroy();
  await once(connection, 'close');
  box.connection().bytesRead += 1;
  expect(await idle(box)).toBe(true);
});

test('what cannot be reached is told, and leaves no trace', async () => {
  using box = await begin();
  const { commands } = box.engine;
  const of = (port: number, principal = key) => commands.connect(principal, box.id, port);
  await expect(of(1)).rejects.toMatchObject({ code: 'port_not_open' });
  for (const port of [0, -1, 65_536, 80.5, Number.NaN])
    await expect(of(port)).rejects.toMatchObject({ code: 'invalid_request' });
  const foreign = { code: 'sandbox_not_found' };
  await expect(of(80, stranger)).rejects.toMatchObject(foreign);
  await expect(commands.open(stranger, box.id, { args: ['x'] })).rejects.toMatchObject(foreign);
  expect(await idle(box)).toBe(true);
});
