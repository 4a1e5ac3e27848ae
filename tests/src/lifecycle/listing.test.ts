import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type DirectoryListing, directoryListingSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import {
  faultOf,
  filePath,
  json,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const ask = (path: string, query = '') =>
    used.api.send('GET', `${filePath(box.id, '/dir', path)}${query}`);
  const page = async (path: string, query = ''): Promise<DirectoryListing> =>
    directoryListingSchema.parse(json(await ask(path, query), 200));
  const paths = async (path: string, query = '') =>
    (await page(path, query)).entries.map((entry) => entry.path.slice(path.length + 1));

  /** All pages, each asked for with the cursor of the one before. */
  async function* pages(path: string, query: string): AsyncGenerator<DirectoryListing> {
    for (let cursor = ''; ; ) {
      const next = await page(path, `${query}${cursor}`);
      yield next;
      if (next.cursor === undefined) return;
      cursor = `&cursor=${next.cursor}`;
    }
  }

  test('a tree is listed with what was asked for', async () => {
    await used.api.asRoot(
      box.id,
      `mkdir -p /tmp/tree/a/b/.git /tmp/tree/.hidden /tmp/tree/a- && cd /tmp/tree &&
       printf one > a/one.ts && printf two > a/b/two.js && printf x > a/b/.git/config &&
       printf y > .hidden/y && ln -s a link && mkfifo a/b/fifo || true`,
    );
    const fifo = isolation === 'container' ? ['a/b/fifo'] : [];
    const all = ['.hidden', '.hidden/y', 'a', 'a/b', 'a/b/.git', 'a/b/.git/config', ...fifo];
    expect(await paths('/tmp/tree', '&recursive=true')).toEqual([
      ...all,
      'a/b/two.js',
      'a/one.ts',
      'a-',
      'link',
    ]);
    expect(await paths('/tmp/tree')).toEqual(['.hidden', 'a', 'a-', 'link']);
    const shallow = await paths('/tmp/tree', '&recursive=true&depth=2&hidden=false');
    expect(shallow).toEqual(['a', 'a/b', 'a/one.ts', 'a-', 'link']);
    expect(await paths('/tmp/tree', '&recursive=true&glob=*.ts')).toEqual(['a/one.ts']);
    expect(await paths('/tmp/tree', '&glob=*.ts')).toEqual([]);
    expect(await paths('/tmp/tree', `&glob=${encodeURIComponent('a/**/*.{js,ts}')}`)).toEqual([
      'a/b/two.js',
      'a/one.ts',
    ]);
    expect(await paths('/tmp/tree', '&recursive=true&type=symlink')).toEqual(['link']);
    const summed = await page('/tmp/tree', '&recursive=true&checksum=sha-256&hidden=false');
    expect(summed.entries.flatMap((entry) => entry.sha256 ?? [])).toEqual(
      ['two', 'one'].map((text) => createHash('sha256').update(text).digest('hex')),
    );
  });

  test('pages of every length make up the same listing', async () => {
    const whole = await page('/usr/share/doc', '&recursive=true');
    expect(whole.truncated).toBe(false);
    expect(whole.entries.length).toBeGreaterThan(50);
    for (const limit of [1, 7, whole.entries.length - 1, whole.entries.length]) {
      const entries = [];
      for await (const part of pages('/usr/share/doc', `&recursive=true&limit=${limit}`)) {
        expect(part.entries.length).toBeLessThanOrEqual(limit);
        expect(part.truncated).toBe(part.cursor !== undefined);
        entries.push(...part.entries);
        if (limit === 1 && entries.length > 60) break;
      }
      expect(entries).toEqual(whole.entries.slice(0, entries.length));
      if (limit > 1) expect(entries).toHaveLength(whole.entries.length);
    }
  });

  test.each([
    '&limit=0',
    '&limit=100001',
    '&limit=1e3',
    '&limit=',
    '&depth=0',
    '&depth=-1',
    '&recursive=maybe',
    '&hidden=2',
    '&type=fifo',
    '&checksum=md5',
    '&cursor=Li4veA',
    '&cursor=L2V0Yw',
    '&cursor=%00',
    '&cursor=***',
    '&cursor=',
  ])('%s is refused', async (query) => {
    faultOf(await ask('/tmp', query), 'invalid_request');
  });

  test('a bad pattern, a file and nothing at all are told', async () => {
    faultOf(await ask('/tmp', '&glob=[a'), 'invalid_pattern');
    faultOf(await ask('/etc/passwd'), 'not_a_directory');
    faultOf(await ask('/no/where'), 'file_not_found');
    expect((await page('/proc', '&recursive=true')).entries).toEqual([]);
  });

  test('a cursor whose entry is gone goes on behind it', async () => {
    await used.api.asRoot(box.id, 'mkdir -p /tmp/gone/b/c && cd /tmp/gone && touch a b/c/d e');
    const first = await page('/tmp/gone', '&recursive=true&limit=4');
    expect(first.entries.at(-1)?.path).toBe('/tmp/gone/b/c/d');
    await used.api.asRoot(box.id, 'rm -r /tmp/gone/b');
    const rest = await page('/tmp/gone', `&recursive=true&cursor=${first.cursor ?? ''}`);
    expect(rest.entries.map(({ name }) => name)).toEqual(['e']);
  });

  test('200,000 files of one directory come in pages, in order, in little memory', async () => {
    const program = `
import os
os.mkdir('/tmp/flood'); fd = os.open('/tmp/flood', os.O_RDONLY)
os.close(os.open('first', os.O_CREAT, dir_fd=fd))
for i in range(199999): os.link('first', f'{i:x}', src_dir_fd=fd, dst_dir_fd=fd)
`;
    const made = await used.api.execFields(box.id, { args: ['python3', '-c', program] });
    if (made.exit_code !== 0) expect(made.stderr).toContain('Too many links');
    const before = memoryMiB();
    let count = 0;
    let last = Buffer.alloc(0);
    for await (const { entries } of pages('/tmp/flood', '&limit=30000')) {
      for (const entry of entries) {
        const name = Buffer.from(entry.name);
        if (Buffer.compare(last, name) >= 0) throw new Error(`${entry.name} is out of order`);
        last = name;
        count += 1;
      }
    }
    const real = await used.api.exec(box.id, 'ls -U /tmp/flood | wc -l');
    expect(count).toBe(Number(real.stdout));
    expect(memoryMiB() - before).toBeLessThan(96);
    expect((await used.api.remove(box.id, '/tmp/flood')).status).toBe(204);
  }, 120_000);

  const memoryMiB = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${used.daemon.pid}/status`, 'utf8'))?.[1]) /
    1024;

  test('500 levels are listed, and a sandbox whose processes ended too', async () => {
    await used.api.asRoot(box.id, `mkdir -p /tmp/deep/${'d/'.repeat(500)}`);
    const deep = await page('/tmp/deep', '&recursive=true');
    expect(deep.entries).toHaveLength(500);
    expect(deep.entries.at(-1)?.path).toBe(`/tmp/deep${'/d'.repeat(500)}`);
  });
});
