import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { onEachIsolation, useDaemon } from '../harness/index.ts';
import { runSandport, type SandportOptions } from './run-sandport.ts';

const used = useDaemon();
const unique = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;
const sandport = async (args: readonly string[], options: SandportOptions = {}) => {
  const { stdout, ...rest } = await runSandport(used, args, options);
  return { stdout: stdout.toString(), ...rest };
};
/** What a command prints; fails when it does. */
const printed = async (...args: string[]) => {
  const { stdout, stderr, exitCode } = await sandport(args);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout.trimEnd();
};
const json = async (...args: string[]): Promise<unknown> =>
  JSON.parse(await printed('--json', ...args));

onEachIsolation(used, (isolation) => {
  const memory = isolation === 'gvisor';

  test('pause, resume, hibernate, wake', async () => {
    const name = await printed('create', '--name', unique('life'), '--isolation', isolation);
    expect(await sandport(['pause', name])).toEqual({
      stdout: `${name}\n`,
      stderr: '',
      exitCode: 0,
    });
    const refused = await sandport(['exec', name, 'true']);
    expect(refused).toMatchObject({ exitCode: 125, stdout: '' });
    expect(refused.stderr).toContain('`sandport resume`');
    expect(await json('resume', name)).toMatchObject([{ status: 'running' }]);

    const asleep = await sandport(['hibernate', name]);
    expect(asleep).toMatchObject({ stdout: `${name}\n`, exitCode: 0 });
    expect(asleep.stderr).toBe(
      memory ? '' : `sandport: ${name}: the disk is kept, its processes have ended\n`,
    );
    expect(await json('show', name)).toMatchObject({ status: 'hibernated', memory });
    expect(await json('start', name)).toMatchObject([{ status: 'running', woken: true, memory }]);
    await printed('stop', name);
    expect(await json('exec', name, 'echo up')).toMatchObject({
      stdout: 'up\n',
      woke: memory ? 'memory' : 'disk',
    });
    await printed('stop', name);
    const note = memory ? '' : expect.stringContaining('began afresh from its disk');
    expect(await sandport(['exec', name, 'echo up'])).toEqual({
      stdout: 'up\n',
      stderr: note,
      exitCode: 0,
    });
    const some = await sandport(['pause', 'no-such-box', name]);
    expect(some).toMatchObject({ stdout: `${name}\n`, exitCode: 3 });
    expect(some.stderr).toContain('no-such-box');
    await printed('kill', name);
  });

  test('fork, fork-tree, promote', async () => {
    const name = await printed('create', '--name', unique('fork'), '--isolation', isolation);
    await printed('exec', name, 'echo seed > /workspace/seed');
    const child = await printed('fork', name, '--metadata', 'role=child');
    expect(await printed('exec', child, 'cat /workspace/seed')).toBe('seed');
    expect(await json('show', child)).toMatchObject({ metadata: { role: 'child' } });

    const tree = await sandport(['fork-tree', '--count', '3', '--disk-only', name]);
    const [first = '', ...others] = tree.stdout.trimEnd().split('\n');
    expect(others.length).toBe(2);
    expect(tree.stderr).toMatch(/^Tree \S+\n$/);
    const promoted = await json('promote', '--cleanup-siblings', first);
    expect(promoted).toMatchObject({ winner: first, deleted: { length: 2 } });
    expect((await sandport(['show', others[0] ?? ''])).exitCode).toBe(3);

    if (!memory) {
      const impossible = await sandport(['fork', '--with-memory', name]);
      expect(impossible).toMatchObject({ exitCode: 1, stdout: '' });
      expect(impossible.stderr).toContain('Leave --with-memory out');
    }
    const both = await sandport(['fork', '--with-memory', '--disk-only', name]);
    expect(both.exitCode).toBe(2);
    await printed('kill', name, child, first);
  });

  test('snapshot, restore, create --from-snapshot', async () => {
    const name = await printed('create', '--name', unique('snap'), '--isolation', isolation);
    const snapshot = unique('state');
    await printed('exec', name, 'echo one > /workspace/state');
    expect(await printed('snapshot', 'create', '--name', snapshot, name)).toBe(snapshot);
    await printed('exec', name, 'echo two > /workspace/state');
    expect(await printed('restore', name, snapshot)).toBe(name);
    expect(await printed('exec', name, 'cat /workspace/state')).toBe('one');
    await printed('kill', name);

    expect(await printed('snapshot', 'ls')).toMatch(new RegExp(`^${snapshot} `, 'm'));
    expect(await json('snapshot', 'show', snapshot)).toMatchObject({ name: snapshot, memory });
    const next = await printed('create', '--from-snapshot', snapshot, '--disk-only');
    expect(await printed('exec', next, 'cat /workspace/state')).toBe('one');
    expect(await printed('snapshot', 'rm', snapshot)).toBe(snapshot);
    const gone = await sandport(['snapshot', 'show', snapshot]);
    expect(gone).toMatchObject({ exitCode: 3, stdout: '' });
    expect(gone.stderr).toContain('`sandport snapshot ls`');
    await printed('kill', next);
  });
});

test('lifecycle, limits and metrics', async () => {
  const name = await printed('create', '--name', unique('times'), '--idle-timeout', '10m');
  expect(await json('lifecycle', name)).toMatchObject({
    idle_timeout_seconds: 600,
    idle_action: 'hibernate',
  });
  expect(await json('set-ttl', name, '2h')).toMatchObject({ ttl_seconds: 7200 });
  expect(await json('set-persistent', name)).toMatchObject({ persistent: true });
  expect(await json('set-persistent', name, 'false')).toMatchObject({ persistent: false });
  expect((await sandport(['set-persistent', name, 'maybe'])).exitCode).toBe(2);
  const changed = await json('lifecycle', '--ttl', '0', '--idle-action', 'kill', name);
  expect(changed).toMatchObject({ ttl_seconds: 0, idle_action: 'kill' });
  expect(await printed('lifecycle', name)).toMatch(/^ttl_seconds +0$/m);

  expect(await json('limits', '--pids', '300', name)).toMatchObject({ pids: 300 });
  expect(await printed('limits', name)).toMatch(/^pids +300$/m);
  expect(await json('metrics', name)).toMatchObject({ status: 'running', pids_limit: 300 });
  expect(await printed('metrics', name)).toMatch(/^memory +\S+ \S+ of \S+ \S+$/m);
  const lines = (output: () => string) => output().split('\n').length;
  const watched = await sandport(['metrics', '--watch', '--interval', '0.5s', name], {
    interrupt: (output) => expect.poll(() => lines(output)).toBeGreaterThan(3),
  });
  expect(watched).toMatchObject({ exitCode: 130, stderr: '' });
  expect(watched.stdout).toMatch(/^TIME +CPU % +MEMORY/);
  await printed('kill', name);
});

test('events, of one that is gone too', async () => {
  const name = await printed('create', '--name', unique('events'));
  const { id } = (await json('show', name)) as { id: string };
  const followed = sandport(['events', '--follow', '--json', name]);
  await printed('pause', name);
  await printed('resume', name);
  await printed('kill', name);
  const { stdout, exitCode } = await followed;
  expect(exitCode).toBe(0);
  const types = stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types).toEqual(['created', 'paused', 'resumed', 'deleted']);
  const listed = await printed('events', '--tail', '2', id);
  expect(listed.split('\n').map((line) => line.split(/ +/)[2])).toEqual(['resumed', 'deleted']);
  const all = await sandport(['events', '--follow'], {
    interrupt: (output) => expect.poll(output).toContain(id),
  });
  expect(all).toMatchObject({ exitCode: 130, stderr: '' });
});
