import { expect, test } from 'vitest';
import { onEachIsolation, useDaemon, useSandbox } from '../harness/index.ts';
import { runSandport } from './run-sandport.ts';

const used = useDaemon();

async function fs(...args: string[]) {
  const { stdout, stderr, exitCode } = await runSandport(used, ['fs', ...args]);
  return { stdout: stdout.toString(), stderr, exitCode };
}

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  test('grep tells by its exit code whether nothing matched or it failed', async () => {
    await used.api.asRoot(box.id, "mkdir -p /tmp/g && printf 'a\\tTODO\\n' > '/tmp/g/x\ny'");
    const at = (path: string) => `${box.id}:${path}`;
    expect(await fs('grep', 'TODO', at('/tmp/g'))).toEqual({
      stdout: '/tmp/g/x\\ny:1:a\tTODO\n',
      stderr: '',
      exitCode: 0,
    });
    expect((await fs('grep', 'nowhere', at('/tmp/g'))).exitCode).toBe(1);
    const broken = await fs('grep', '-E', '(', at('/tmp/g'));
    expect(broken).toMatchObject({ stdout: '', exitCode: 2 });
    expect(broken.stderr).toContain('sandport:');
    expect((await fs('grep', '-E', '(', at('/tmp/g'), at('/tmp'))).exitCode).toBe(2);
    expect((await fs('grep', 'TODO', at('/tmp/missing'))).exitCode).toBe(3);
    expect((await fs('grep', 'TODO', 'no-such-box:/tmp')).exitCode).toBe(3);
  });

  test('replace tells which files it could not look at', async () => {
    await used.api.asRoot(
      box.id,
      `mkdir -p /tmp/r && cd /tmp/r && printf old > fits && printf old > "$(printf 'bad\\377')" && truncate -s 17M large`,
    );
    const { stdout, stderr, exitCode } = await fs('replace', 'old', 'new', `${box.id}:/tmp/r`);
    expect({ stdout, exitCode }).toEqual({ stdout: '/tmp/r/fits: 1\n', exitCode: 0 });
    expect(stderr.trimEnd().split('\n')).toEqual([
      '1 place in 1 file changed',
      'sandport: left out 1 file over 16 MiB, or with overlong lines',
      'sandport: left out 1 file that cannot be read',
    ]);
  });
});
