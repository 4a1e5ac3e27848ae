import {
  BadRequestError,
  ConflictError,
  NotFoundError,
  type FileInfo,
  type WatchEvent,
} from 'sandport';
import { describe, expect, test } from 'vitest';
import { onEachIsolation, useDaemon } from '../harness/index.ts';
import { failure, useSdkSandbox } from './sdk-sandbox.ts';

const used = useDaemon();
const pathsOf = (entries: readonly FileInfo[]) => entries.map(({ path }) => path);

onEachIsolation(used, (isolation) => {
  const made = useSdkSandbox(used, isolation);
  const files = () => made.sandbox.files;
  const run = async (line: string) => (await made.sandbox.exec(line, { check: true })).stdout;

  describe('listing', () => {
    test('recursive, by depth, pattern, type and without hidden names', async () => {
      await run(
        'mkdir -p /workspace/l/a/b/c /workspace/l/.h; cd /workspace/l; echo 1 > a/1.txt; echo 22 > a/b/2.txt; echo 3 > a/b/c/3.md; echo h > .h/x.txt; ln -s a link',
      );
      expect(pathsOf(await files().list('/workspace/l', { recursive: true }))).toEqual(
        ['.h', '.h/x.txt', 'a', 'a/1.txt', 'a/b', 'a/b/2.txt', 'a/b/c', 'a/b/c/3.md', 'link'].map(
          (path) => `/workspace/l/${path}`,
        ),
      );
      const two = await files().list('/workspace/l', { recursive: true, depth: 2, hidden: false });
      expect(two.map(({ name }) => name)).toEqual(['a', '1.txt', 'b', 'link']);
      const texts = await files().glob('**/*.txt', { path: '/workspace/l', hidden: false });
      expect(texts.map(({ name }) => name)).toEqual(['1.txt', '2.txt']);
      const links = await files().list('/workspace/l', { recursive: true, type: 'symlink' });
      expect(links).toMatchObject([{ name: 'link', symlinkTarget: 'a' }]);
      const [one] = await files().list('/workspace/l/a', { checksum: true, type: 'file' });
      expect(one?.sha256).toBe((await run('sha256sum < /workspace/l/a/1.txt')).split(' ')[0]);
      expect(await failure(files().glob('[', { path: '/workspace/l' }))).toMatchObject({
        code: 'invalid_pattern',
      });
    });

    test('more entries than a page come whole, in order and once', async () => {
      await run('mkdir /workspace/many && cd /workspace/many && seq -w 0 11999 | xargs touch');
      let last = '';
      let count = 0;
      for await (const { name } of files().entries('/workspace/many')) {
        expect(name > last).toBe(true);
        last = name;
        count += 1;
      }
      expect(count).toBe(12_000);
      expect((await files().list('/workspace/many')).length).toBe(12_000);
      expect(await files().diskUsage('/workspace/many')).toMatchObject({
        files: 12_000,
        directories: 0,
        sizeBytes: 0,
      });
      await files().remove('/workspace/many', { recursive: true });
    });
  });

  test('move, copy, chmod, chown, symlink and touch do what commands see', async () => {
    await files().makeDirectory('/workspace/m/d', { mode: 0o750 });
    await files().write('/workspace/m/d/f', 'text', { mode: 0o640 });
    expect(await files().move('/workspace/m/d/f', '/workspace/m/new/g')).toMatchObject({
      path: '/workspace/m/new/g',
      size: 4,
    });
    await files().copy('/workspace/m/new', '/workspace/m/copy');
    await files().symlink('/workspace/m/link', 'copy/g');
    expect(await failure(files().symlink('/workspace/m/link', 'x'))).toMatchObject({
      code: 'already_exists',
    });
    await files().symlink('/workspace/m/link', 'new/g', { overwrite: true });
    expect(await files().chmod('/workspace/m/copy', 0o700, { recursive: true })).toBe(2);
    expect(await files().chown('/workspace/m/new', { user: 'root', group: 0 })).toBe(1);
    await files().touch('/workspace/m/copy/g', { mtime: 1_700_000_000_123_000_000n });
    expect(
      await run(
        'cd /workspace/m; stat -c "%n %a %U" d copy copy/g new new/g; readlink link; cat copy/g; stat -c " %Y" copy/g',
      ),
    ).toBe(
      'd 750 user\ncopy 700 user\ncopy/g 700 user\nnew 755 root\nnew/g 640 user\nnew/g\ntext 1700000000\n',
    );
    expect((await files().stat('/workspace/m/copy/g')).modifiedAt.getTime()).toBe(
      1_700_000_000_123,
    );
    const exists = await failure(files().move('/workspace/m/copy/g', '/workspace/m/new/g'));
    expect(exists).toBeInstanceOf(ConflictError);
    expect(exists).toMatchObject({ code: 'already_exists' });
    expect(await failure(files().copy('/workspace/none', '/workspace/m/x'))).toBeInstanceOf(
      NotFoundError,
    );
    expect(await failure(files().touch('/workspace/none', { create: false }))).toMatchObject({
      code: 'file_not_found',
    });
  });

  test('search and replace', async () => {
    await files().write('/workspace/s/a.txt', 'one\ntwo words\nOne more\n');
    await files().write('/workspace/s/b.md', 'one\n');
    await files().write('/workspace/s/c.bin', new Uint8Array([0x6f, 0x6e, 0x65, 0]));
    const found = await files().search('one', {
      path: '/workspace/s',
      caseSensitive: false,
      include: ['*.txt'],
      contextLines: 1,
    });
    expect(found.matches.map(({ path, line, text }) => ({ path, line, text }))).toEqual([
      { path: '/workspace/s/a.txt', line: 1, text: 'one' },
      { path: '/workspace/s/a.txt', line: 3, text: 'One more' },
    ]);
    expect(found.matches[1]?.before).toEqual(['two words']);
    const options = { path: '/workspace/s', regex: true };
    expect(
      await files().replace('(\\w+) words', '$1 things', { ...options, dryRun: true }),
    ).toMatchObject({ replacements: 1, filesChanged: expect.any(Number) });
    const replaced = await files().replace('(\\w+) words', '$1 things', options);
    expect(replaced).toMatchObject({ replacements: 1, filesChanged: 1 });
    expect(replaced.filesSkipped.binary).toBe(1);
    expect(await files().read('/workspace/s/a.txt')).toContain('two things');
    expect(await failure(files().search('(', options))).toBeInstanceOf(BadRequestError);
  });

  test('changes tell what differs from the template', async () => {
    await run('echo x > /workspace/added; echo y >> /home/user/.bashrc || true');
    const changes = await files().changes({ path: '/workspace' });
    expect(changes.find(({ path }) => path === '/workspace/added')).toEqual({
      path: '/workspace/added',
      change: 'added',
      type: 'file',
      size: 2,
    });
    const one: string[] = [];
    for await (const { path } of files().changeEntries({ path: '/workspace' })) one.push(path);
    expect(one).toEqual(changes.map(({ path }) => path));
  });

  test('a link downloads and uploads without a key until it is revoked', async () => {
    await files().write('/workspace/shared', 'for all');
    const down = await files().createLink('/workspace/shared', { expiresInSeconds: 60 });
    expect(await (await fetch(down.url)).text()).toBe('for all');
    expect(down.expiresAt.getTime() - down.createdAt.getTime()).toBe(60_000);
    const up = await files().createLink('/workspace/given', { method: 'PUT', maxBytes: 10 });
    expect((await fetch(up.url, { method: 'PUT', body: 'short' })).status).toBe(200);
    expect((await fetch(up.url, { method: 'PUT', body: 'much too long' })).status).toBe(413);
    expect(await files().read('/workspace/given')).toBe('short');
    expect((await files().listLinks()).map(({ id }) => id).toSorted()).toEqual(
      [down.id, up.id].toSorted(),
    );
    await files().revokeLink(down.id);
    expect((await fetch(down.url)).status).toBe(404);
    expect(await failure(files().revokeLink(down.id))).toBeInstanceOf(NotFoundError);
  });

  test('a watch tells what happens after it began, and ends with its directory', async () => {
    await files().makeDirectory('/workspace/w/sub');
    const watching = await files().watch('/workspace/w');
    const seen: WatchEvent[] = [];
    const ended = (async () => {
      for await (const event of watching) seen.push(event);
    })();
    await files().write('/workspace/w/sub/f', 'x');
    await files().move('/workspace/w/sub/f', '/workspace/w/g');
    await files().remove('/workspace/w/g');
    const told = () =>
      seen.map(({ type, ...rest }) => `${type} ${'path' in rest ? rest.path : ''}`);
    await expect.poll(told, { timeout: 5000 }).toContain('removed /workspace/w/g');
    expect(seen.some(({ type }) => type === 'created' || type === 'renamed')).toBe(true);
    await files().remove('/workspace/w', { recursive: true });
    await ended;
  });

  test('a watch ends quietly when it is closed, and with the reason when it is aborted', async () => {
    const closed = await files().watch('/workspace');
    setTimeout(() => closed.close(), 50);
    for await (const event of closed) expect(event).toBeDefined();
    const stop = new AbortController();
    const aborted = await files().watch('/workspace', { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('stop')), 50);
    const loop = async () => {
      for await (const event of aborted) expect(event).toBeDefined();
    };
    expect(await failure(loop())).toMatchObject({ message: 'stop' });
    expect(await failure(files().watch('/none'))).toBeInstanceOf(NotFoundError);
  });
});
