import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Canary,
  codeOf,
  expectNothingLeft,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();
const raceMs = 10_000;
let canary: Canary;
beforeAll(() => {
  canary = new Canary();
});
afterAll(() => canary.remove());

/**
 * Swaps, as fast as the guest can, `/tmp/race/x` between a directory and a link to a directory of
 * the host, and `/tmp/race/f` between a file and a link to a file of the host; with RENAME_EXCHANGE
 * where the guest's kernel has it, else by renames.
 */
const racer = (directory: string, file: string) => `
import ctypes, os, sys, time
os.makedirs('/tmp/race/real/sub', exist_ok=True)
os.chdir('/tmp/race')
for name in 'secret', 'sub/kept': open('real/' + name, 'w').write('of the guest')
os.symlink('${directory}', 'out'); os.symlink('${file}', 'outfile')
open('infile', 'w').write('of the guest')
os.rename('real', 'x'); os.rename('infile', 'f')
if os.fork(): sys.exit()
os.setsid()
for fd in 0, 1, 2: os.close(fd)
libc = ctypes.CDLL(None)
def swap(a, b):
    if libc.syscall(316, -100, a, -100, b, 2) == 0: return
    os.rename(a, a + b'.t'); os.rename(b, a); os.rename(a + b'.t', b)
end = time.time() + ${raceMs / 1000 + 2}
n = 0
while time.time() < end and not os.path.exists('stop'):
    for a, b in (b'x', b'out'), (b'f', b'outfile'):
        try: swap(a, b)
        except OSError: pass
    n += 1
open('rounds', 'w').write(str(n))
`;

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  test('a guest that swaps directories and links gains nothing', {
    timeout: raceMs * 3,
  }, async () => {
    const { api } = used;
    const started = await api.execFields(box.id, {
      args: ['python3', '-c', racer(canary.directory, canary.file)],
      user: 'root',
    });
    expect(started).toMatchObject({ exit_code: 0, stderr: '' });
    const written = randomBytes(2_000).toString('hex');
    const seen = new Map<string, number>();
    const attempts: (() => ReturnType<typeof api.open>)[] = [
      () => api.open(box.id, '/tmp/race/x/secret'),
      () => api.open(box.id, '/tmp/race/f'),
      () => api.open(box.id, '/tmp/race/x/../x/sub/kept'),
      () => api.listing(box.id, '/tmp/race/x'),
      () => api.listing(box.id, '/tmp/race/x/sub'),
      () => api.statAnswer(box.id, '/tmp/race/x/secret'),
      () => api.put(box.id, '/tmp/race/x/secret', written),
      () => api.put(box.id, '/tmp/race/f', written),
      () => api.put(box.id, '/tmp/race/x/new/deep/file', written),
      () => api.mkdir(box.id, '/tmp/race/x/made/deep'),
      () => api.remove(box.id, '/tmp/race/x/new'),
      () => api.remove(box.id, '/tmp/race/x/sub/kept'),
      () => api.remove(box.id, '/tmp/race/f', '&must_exist=true'),
    ];
    const end = performance.now() + raceMs;
    const work = async (offset: number) => {
      for (let turn = offset; performance.now() < end; turn++) {
        const attempt = attempts[turn % attempts.length];
        const answer = await attempt?.();
        if (answer === undefined) continue;
        canary.expectNotIn(answer.body);
        const code = codeOf(answer);
        seen.set(code, (seen.get(code) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 6 }, (_, index) => work(index * 2)));
    canary.expectUntouched();
    // Every answer was one of those that a path in motion may give.
    const expected = ['ok', 'file_not_found', 'not_a_directory', 'is_directory', 'path_busy'];
    expect(
      [...seen.keys()].filter((code) => ![...expected, 'symlink_loop'].includes(code)),
    ).toEqual([]);
    expect(seen.get('ok')).toBeGreaterThan(100);
    await api.asRoot(
      box.id,
      'touch /tmp/race/stop; while [ ! -s /tmp/race/rounds ]; do sleep 0.1; done',
    );
    const rounds = Number((await api.read(box.id, '/tmp/race/rounds')).toString());
    expect(rounds).toBeGreaterThan(1_000);
    expect((await api.remove(box.id, '/tmp/race')).status).toBe(204);
    canary.expectUntouched();
    await expectNothingLeft(used, box.id);
  });

  test('removing a tree while the guest swaps parts of it for links', {
    timeout: 60_000,
  }, async () => {
    const { api } = used;
    const program = `
import os, sys, time
os.makedirs('/tmp/grow', exist_ok=True)
if os.fork(): sys.exit()
os.setsid()
for fd in 0, 1, 2: os.close(fd)
end = time.time() + 4
i = 0
while time.time() < end:
    i += 1
    try:
        os.makedirs(f'/tmp/grow/{i % 50}/a/b', exist_ok=True)
        open(f'/tmp/grow/{i % 50}/a/b/file', 'w').close()
        os.rename(f'/tmp/grow/{i % 50}/a', f'/tmp/grow/{i % 50}/c')
        os.symlink('${canary.directory}', f'/tmp/grow/{i % 50}/a')
    except OSError: pass
`;
    await api.execFields(box.id, { args: ['python3', '-c', program], user: 'root' });
    const end = performance.now() + 4_000;
    while (performance.now() < end) {
      const answer = await api.remove(box.id, '/tmp/grow');
      // The guest may make entries as fast as they are removed.
      expect([204, 404, 409]).toContain(answer.status);
    }
    canary.expectUntouched();
  });
});
