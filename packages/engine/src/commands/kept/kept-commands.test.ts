import { setTimeout as sleep } from 'node:timers/promises';
import { maxEndedCommands, maxKeptCommands, namespaceSchema } from '@sandport/protocol';
import { openState } from '@sandport/state';
import { expect, test } from 'vitest';
import { Engine } from '../../engine.ts';
import type { Principal } from '../../principal.ts';
import { FakeKept, KeptDriver } from '../../testing/kept-driver.ts';
import type { KeptOutput } from './follow.ts';

const key: Principal = { keyId: 'k' };
const stranger: Principal = {
  keyId: 's',
  namespaces: new Set([namespaceSchema.parse('elsewhere')]),
};
const unknown = 'f'.repeat(32);

/** An engine with one sandbox. */
async function begin() {
  const state = openState(':memory:');
  const driver = new KeptDriver();
  const engine = new Engine({ state, driver });
  const { id } = await engine.sandboxes.create(key, {});
  return {
    engine,
    driver,
    id,
    kept: engine.kept,
    activity: engine.sandboxes.find(key, id).activity,
    start: (request: Parameters<typeof engine.kept.start>[2]) =>
      engine.kept.start(key, id, request),
    fake: (): FakeKept => {
      const command = driver.keptCommands.at(-1);
      if (command === undefined) throw new Error('none was started');
      return command;
    },
    types: () => engine.events.list(key, id).map(({ type }) => type),
    [Symbol.dispose]: () => {
      engine[Symbol.dispose]();
      state[Symbol.dispose]();
    },
  };
}

test('a command is told as it was started, and as it ended', async () => {
  using box = await begin();
  const started = await box.start({ cmd: 'sleep 1', user: 'root' });
  expect(started).toMatchObject({ cmd: 'sleep 1', cwd: '/home/user', user: 'root', tty: false });
  expect(started).toMatchObject({ status: 'running', pid: 7, stdin: false, stdout_bytes: 0 });
  box.fake().write('stdout', 'abcdef');
  box.fake().drop('stdout', 2);
  box.fake().finish({ exitCode: 137, signal: 'SIGKILL', oomKilled: true });
  const ended = box.kept.get(key, box.id, started.id);
  expect(ended).toMatchObject({ status: 'ended', exit_code: 137, signal: 'SIGKILL' });
  expect(ended).toMatchObject({ oom_killed: true, stdout_start: 2, stdout_bytes: 6 });
  expect(ended.pid).toBeUndefined();
  expect(box.kept.list(key, box.id)).toEqual([ended]);
  expect(box.kept.list(key, box.id, 'running')).toEqual([]);
  const types = ['created', 'command_started', 'command_ended'];
  await expect.poll(() => box.types()).toEqual(types);
});

test('what is long is shown shortened', async () => {
  using box = await begin();
  const long = await box.start({ cmd: 'x'.repeat(100_000) });
  expect(long).toMatchObject({ shortened: true, cmd: 'x'.repeat(2_000) });
  const many = await box.start({ args: Array.from({ length: 100_000 }, () => '') });
  expect(many.shortened).toBe(true);
  expect(many.args?.length).toBeLessThan(5_000);
  expect(JSON.stringify(box.fake().details).length).toBeLessThan(16_384);
});

test('it keeps the sandbox in use while it runs; a terminal does while bytes move', async () => {
  using box = await begin();
  await box.start({ args: ['x'] });
  const busy = box.fake();
  await sleep(20);
  expect(box.activity.idleMs).toBeLessThan(10);
  busy.finish();
  await busy.ended;
  await box.start({ args: ['sh'], tty: { rows: 24, cols: 80 } });
  void box.activity.idleMs;
  await sleep(20);
  expect(box.activity.idleMs).toBeGreaterThan(10);
  box.fake().write('stdout', 'x');
  expect(box.activity.idleMs).toBeLessThan(10);
});

test('one waits for the end, or for some time', async () => {
  using box = await begin();
  const { id } = await box.start({ args: ['x'] });
  const soon = await box.kept.wait(key, box.id, id, { waitMs: 1 });
  expect(soon.status).toBe('running');
  const waiting = box.kept.wait(key, box.id, id, { waitMs: 60_000 });
  box.fake().finish({ exitCode: 4 });
  expect(await waiting).toMatchObject({ status: 'ended', exit_code: 4 });
  const again = await box.start({ args: ['x'] });
  const gone = new AbortController();
  const given = box.kept.wait(key, box.id, again.id, { waitMs: 60_000, signal: gone.signal });
  gone.abort();
  expect((await given).status).toBe('running');
});

test('input, signals and sizes reach it', async () => {
  using box = await begin();
  const { id } = await box.start({ args: ['cat'], tty: { rows: 24, cols: 80 } });
  await box.kept.signal(key, box.id, id, 'SIGUSR1');
  await box.kept.resize(key, box.id, id, { rows: 1, columns: 2 });
  expect(box.fake().told).toEqual(['SIGUSR1', '2x1']);
  const input = await box.kept.input(key, box.id, id);
  input.write('hello');
  expect(String(box.fake().stdin?.read())).toBe('hello');
  expect(await box.kept.input(key, box.id, id)).toBe(input);
  input.end();
  await expect(box.kept.input(key, box.id, id)).rejects.toMatchObject({ code: 'stdin_closed' });
});

test('what cannot be done is refused by its name', async () => {
  using box = await begin();
  const { kept } = box;
  const { id } = await box.start({ args: ['x'] });
  const code = (wanted: string) => ({ code: wanted });
  await expect(kept.input(key, box.id, id)).rejects.toMatchObject(code('stdin_closed'));
  const size = { rows: 1, columns: 1 };
  await expect(kept.resize(key, box.id, id, size)).rejects.toMatchObject(code('not_a_terminal'));
  box.fake().finish();
  await expect(kept.signal(key, box.id, id, 'SIGINT')).rejects.toMatchObject(code('command_ended'));
  await expect(kept.input(key, box.id, id)).rejects.toMatchObject(code('command_ended'));
  for (const name of [unknown, '1', '__proto__', '']) {
    expect(() => kept.get(key, box.id, name)).toThrow('keeps no command');
    await expect(kept.remove(key, box.id, name)).rejects.toMatchObject(code('command_not_found'));
  }
  expect(() => kept.get(stranger, box.id, id)).toThrow('No sandbox');
  await expect(box.start({ args: ['missing'] })).rejects.toMatchObject(code('command_not_started'));
});

test('pages of output begin where bytes are, and tell where the next one does', async () => {
  using box = await begin();
  const { id } = await box.start({ args: ['x'] });
  box.fake().write('stdout', 'abcdefghij');
  const page = async (since: number, limitBytes: number) => {
    const found = box.kept.output(key, box.id, id, { stream: 'stdout', since, limitBytes });
    const chunks: Buffer[] = [];
    for await (const chunk of found.chunks) chunks.push(chunk);
    return [found.offset, found.nextOffset, Buffer.concat(chunks).toString()];
  };
  expect(await page(0, 6)).toEqual([0, 6, 'abcdef']);
  expect(await page(6, 100)).toEqual([6, 10, 'ghij']);
  expect(await page(10, 100)).toEqual([10, 10, '']);
  expect(await page(99, 100)).toEqual([99, 99, '']);
  box.fake().drop('stdout', 3);
  expect(await page(0, 2)).toEqual([3, 5, 'de']);
});

/** Follows a command and collects what it is handed, as text with offsets. */
function follow(box: Awaited<ReturnType<typeof begin>>, id: string, since = {}) {
  const seen: string[] = [];
  const stop = new AbortController();
  const onOutput = (output: KeptOutput) => {
    if ('gap' in output) seen.push(`${output.stream} ${output.gap.from}-${output.gap.to}`);
    else seen.push(`${output.stream} ${output.offset} ${output.bytes.toString()}`);
  };
  const ended = box.kept.follow(key, box.id, id, onOutput, { since, signal: stop.signal });
  return { seen, ended, stop };
}

test('who follows gets all from an offset on, and the gaps', async () => {
  using box = await begin();
  const { id } = await box.start({ args: ['x'] });
  box.fake().write('stdout', 'abcdefgh');
  box.fake().drop('stdout', 4);
  const all = follow(box, id);
  const part = follow(box, id, { stdout: 6, stderr: 1 });
  box.fake().write('stderr', 'xy');
  await expect.poll(() => part.seen.length + all.seen.length).toBe(5);
  box.fake().write('stdout', 'z');
  box.fake().finish({ exitCode: 3 });
  expect(await all.ended).toMatchObject({ exit_code: 3 });
  expect(await part.ended).toMatchObject({ exit_code: 3 });
  expect([...all.seen].sort()).toEqual([
    'stderr 0 xy',
    'stdout 0-4',
    'stdout 4 efgh',
    'stdout 8 z',
  ]);
  expect([...part.seen].sort()).toEqual(['stderr 1 y', 'stdout 6 gh', 'stdout 8 z']);
});

test('who follows goes on behind a hibernation, and leaves when it wants', async () => {
  using box = await begin();
  const { id } = await box.start({ args: ['x'] });
  const follower = follow(box, id);
  box.fake().write('stdout', 'ab');
  await expect.poll(() => follower.seen).toEqual(['stdout 0 ab']);
  box.fake().interrupt();
  await sleep(10);
  box.fake().interrupt(false);
  box.fake().write('stdout', 'cd');
  const entry = box.engine.sandboxes.find(key, box.id);
  box.engine.sandboxes.states.started(entry, box.driver.processes(entry.row.id));
  await expect.poll(() => follower.seen).toEqual(['stdout 0 ab', 'stdout 2 cd']);
  const reason = new Error('enough');
  follower.stop.abort(reason);
  await expect(follower.ended).rejects.toBe(reason);
});

test('who follows or waits is told when the sandbox is let go of', async () => {
  using box = await begin();
  const { id } = await box.start({ args: ['x'] });
  const { ended } = follow(box, id);
  const waiting = box.kept.wait(key, box.id, id, { waitMs: 60_000 });
  await sleep(5);
  box.fake().close();
  const closed = { status: 'rejected', reason: { code: 'invalid_state' } };
  expect(await Promise.allSettled([ended, waiting])).toMatchObject([closed, closed]);
});

test('those that ended are forgotten beyond a number, and where room is needed', async () => {
  using box = await begin();
  const first = await box.start({ args: ['first'] });
  box.fake().finish();
  for (let index = 0; index < maxEndedCommands; index++) {
    await box.start({ args: ['x'] });
    box.fake().finish();
    await box.fake().ended;
  }
  await expect.poll(() => box.kept.list(key, box.id).length).toBe(maxEndedCommands);
  expect(() => box.kept.get(key, box.id, first.id)).toThrow('keeps no command');
  for (let index = 0; index < maxKeptCommands; index++) await box.start({ args: ['y'] });
  expect(box.kept.list(key, box.id, 'running')).toHaveLength(maxKeptCommands);
  await expect(box.start({ args: ['z'] })).rejects.toMatchObject({ code: 'limit_reached' });
});

test('what code contexts keep takes room too, and is not forgotten for it', async () => {
  using box = await begin();
  const { sandboxes } = box.engine;
  const { commands } = await sandboxes.states.running(sandboxes.find(key, box.id));
  const details = { code: {} };
  const kernel = await commands.keep({ key: unknown, args: ['kernel'], details });
  await box.start({ args: ['first'] });
  box.fake().finish();
  for (let index = 1; index < maxKeptCommands; index++) await box.start({ args: ['y'] });
  expect(box.kept.list(key, box.id)).toHaveLength(maxKeptCommands - 1);
  await expect(box.start({ args: ['z'] })).rejects.toThrow('code contexts included');
  expect(commands.kept()).toContain(kernel);
});

test('those that ended a day ago are forgotten at the start of the clock', async () => {
  using box = await begin();
  await box.start({ args: ['x'] });
  box.fake().finish({ endedAt: new Date(Date.now() - 86_500_000) });
  await expect.poll(() => box.driver.keptCommands).toEqual([]);
});

test('a removal ends it', async () => {
  using box = await begin();
  const { id } = await box.start({ args: ['x'] });
  const command = box.fake();
  await box.kept.remove(key, box.id, id);
  expect(command.end).toMatchObject({ signal: 'SIGTERM' });
  expect(box.kept.list(key, box.id)).toEqual([]);
});
