import { expect, test } from 'vitest';
import { onEachIsolation, useDaemon, useSandbox } from '../harness/index.ts';
import { runSandport } from './run-sandport.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const fresh = useSandbox(used, isolation);
  const diff = async (args: readonly string[]) => {
    const { stdout, ...rest } = await runSandport(used, ['diff', ...args]);
    return { stdout: stdout.toString(), ...rest };
  };

  test('what was added, modified and deleted', async () => {
    await used.api.asRoot(
      box.id,
      'mkdir /opt/new && printf 1234 > /opt/new/f && echo more >> /etc/hostname && rm -rf /usr/share/doc /etc/debian_version',
    );
    const all = await diff([box.id]);
    expect(all.exitCode).toBe(0);
    const lines = all.stdout.trimEnd().split('\n');
    expect(lines).toContain('A /opt/new/');
    expect(lines).toContain('A /opt/new/f  4 B');
    expect(lines.find((line) => line.startsWith('D /etc/debian_version  '))).toBeDefined();
    expect(all.stderr).toMatch(/^\d+ added, \d+ modified, \d+ deleted\n$/);

    const below = await diff([box.id, '/opt']);
    expect(below.stdout).toBe('A /opt/new/\nA /opt/new/f  4 B\n');
    expect((await diff([`${box.id}:/opt`])).stdout).toBe(below.stdout);
    const json = await diff(['--json', box.id, '/opt']);
    expect(json.stderr).toBe('');
    expect(
      json.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { path: '/opt/new', change: 'added', type: 'directory', size: expect.any(Number) },
      { path: '/opt/new/f', change: 'added', type: 'file', size: 4 },
    ]);
  });

  test('the exit code tells when it is asked to', async () => {
    expect(await diff(['--exit-code', '--quiet', box.id, '/opt'])).toMatchObject({ exitCode: 1 });
    const same = await diff(['--exit-code', '--quiet', fresh.id, '/opt']);
    expect(same).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect((await diff(['no-such-box'])).exitCode).toBe(3);
    expect((await diff([`${box.id}:/etc`, '/opt'])).exitCode).toBe(2);
    expect((await diff([`${box.id}`, 'relative'])).exitCode).toBe(1);
  });
});
