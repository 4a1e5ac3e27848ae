import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { searchResultSchema, type Search } from '@sandport/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Canary,
  expectServing,
  json,
  onEachIsolation,
  useDaemon,
  useSandbox,
  waitFor,
} from '../harness/index.ts';

const used = useDaemon();
let canary: Canary;
beforeAll(() => {
  canary = new Canary();
});
afterAll(() => canary.remove());

async function search(id: string, fields: Search) {
  const answer = await used.api.send('POST', `/v1/sandboxes/${id}/fs/search`, {
    body: JSON.stringify(fields),
    timeoutMs: 60_000,
  });
  return searchResultSchema.parse(json(answer, 200));
}

/** Processor time that the daemon has used; clock ticks are 10 ms. */
function processorMs(): number {
  const fields = readFileSync(`/proc/${used.daemon.pid}/stat`, 'utf8').split(') ')[1]?.split(' ');
  return 10 * (Number(fields?.[11]) + Number(fields?.[12]));
}

/** Milliseconds that the daemon takes to answer something small, at worst, while `work` runs. */
async function slowestAnswerDuring(work: Promise<unknown>): Promise<number> {
  let slowestMs = 0;
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  void work.then(over, over);
  while (!isOver) {
    const { ms } = await used.api.send('GET', '/healthz');
    slowestMs = Math.max(slowestMs, ms);
  }
  return slowestMs;
}

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation, { resources: { memory_mb: 512 } });

  test('links out, FIFOs, sparse and endless files, and names with anything', async () => {
    const at = '/workspace/hostile';
    await used.api.asRoot(
      box.id,
      `mkdir -p ${at}/d && cd ${at} &&
       ln -s ${canary.directory} outside && ln -s ${canary.file} file && ln -s / root &&
       ln -s .. d/up && mkfifo fifo && truncate -s 1G sparse && ln -s /proc/self/environ env &&
       printf 'needle\\n' > "$(printf 'new\\nline')" && printf 'needle\\n' > "$(printf 'x\\377y')" &&
       printf 'needle\\n' > '-rf * \`id\`' && printf 'needle\\n' > d/ok && chmod 0 d/ok`,
    );
    const result = await search(box.id, { path: at, pattern: 'needle' });
    expect(result.matches.map(({ path }) => path.slice(at.length + 1))).toEqual([
      '-rf * `id`',
      'd/ok',
      'new\nline',
      'x\uFFFDy',
    ]);
    expect(result.files_skipped).toMatchObject({ too_large: 1, binary: 0 });
    const everything = await search(box.id, { path: at, pattern: canary.secret });
    expect(everything.matches).toEqual([]);
    await expectServing(used, box.id);
  });

  test('lines without end and expressions that are slow elsewhere keep others waiting only shortly', async () => {
    const at = '/workspace/lines';
    await used.api.asRoot(
      box.id,
      `mkdir -p ${at} && cd ${at} && head -c 60000000 /dev/zero | tr '\\0' a > one-line &&
       head -c 2000000 /dev/zero | tr '\\0' '\\n' > breaks &&
       head -c 2000000 /dev/zero | tr '\\0' a | fold -w 1000 > wide`,
    );
    const patterns = ['(a+)+b', '(a|aa)*c$', '([a-c].{20}|[a-d].{30}){5}z', '(.*)(.*)(.*)=b'];
    const searching = (async () => {
      for (const pattern of patterns) {
        const result = await search(box.id, { path: at, pattern, regex: true });
        expect(result.matches).toEqual([]);
      }
      const [last] = (
        await search(box.id, { path: `${at}/wide`, pattern: '^a{999}a$', regex: true })
      ).matches;
      expect(last?.text).toHaveLength(1000);
    })();
    const slowestMs = await slowestAnswerDuring(searching);
    await searching;
    expect(slowestMs).toBeLessThan(5_000);
    // What is beyond the limit of a line is not looked at.
    await used.api.asRoot(box.id, `printf 'needle' >> ${at}/one-line`);
    expect((await search(box.id, { path: `${at}/one-line`, pattern: 'needle' })).matches).toEqual(
      [],
    );
  });

  test('a tree that the guest moves and rewrites meanwhile', async () => {
    const at = '/workspace/moving';
    const script = `
import os, shutil, time
os.makedirs('${at}/a', exist_ok=True)
end = time.time() + 4
n = 0
while time.time() < end:
    n += 1
    for i in range(20):
        p = '${at}/a/f%d' % i
        try:
            if n % 3 == 0 and os.path.lexists(p): os.unlink(p)
            if n % 3 == 1: open(p, 'w').write('needle ' * (n % 500))
            if n % 3 == 2:
                if os.path.lexists(p): os.unlink(p)
                os.symlink('/etc/passwd', p)
        except OSError: pass
    try:
        os.rename('${at}/a', '${at}/b'); os.symlink('/etc', '${at}/a')
        os.unlink('${at}/a'); os.rename('${at}/b', '${at}/a')
    except OSError: pass
`;
    await used.api.write(box.id, '/tmp/mover.py', script);
    await used.api.write(box.id, `${at}/a/start`, 'needle');
    const moving = used.api.exec(box.id, 'python3 /tmp/mover.py', { user: 'root' });
    let isOver = false;
    void moving.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const { matches } = await search(box.id, { path: at, pattern: 'e' });
      for (const { text } of matches) expect(text).not.toContain('root:');
    }
    await moving;
  });
});

test('a client that goes away ends its search', async () => {
  const box = await used.api.create({ isolation: 'container' });
  try {
    await used.api.asRoot(
      box.id,
      `python3 -c "for i in range(10): open('/workspace/f%d' % i, 'w').write('aaaa bbbb cccc\\n' * 3000000)"`,
    );
    const fields = { path: '/workspace', pattern: '(?i)[a-c]+ [b-d]+ x', regex: true };
    await expect(
      used.api.send('POST', `/v1/sandboxes/${box.id}/fs/search`, {
        body: JSON.stringify(fields),
        timeoutMs: 300,
      }),
    ).rejects.toThrow();
    await waitFor(async () => {
      const before = processorMs();
      await sleep(500);
      return processorMs() - before < 100;
    });
    await expectServing(used, box.id);
  } finally {
    await used.api.kill(box.id);
  }
});
