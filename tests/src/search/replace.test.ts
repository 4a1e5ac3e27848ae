import { type Replace, type ReplaceResult, replaceResultSchema } from '@sandport/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { faultOf, json, onEachIsolation, useDaemon, useSandbox } from '../harness/index.ts';

const used = useDaemon();

const send = (id: string, fields: unknown) =>
  used.api.sendJson('POST', `/v1/sandboxes/${id}/fs/replace`, fields);

async function replace(id: string, fields: Replace): Promise<ReplaceResult> {
  return replaceResultSchema.parse(json(await send(id, fields), 200));
}

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const root = '/workspace/tree';
  const write = (path: string, text: string | Uint8Array) =>
    used.api.write(box.id, `${root}/${path}`, text);
  const read = async (path: string) => (await used.api.read(box.id, `${root}/${path}`)).toString();

  beforeEach(async () => {
    await used.api.remove(box.id, root);
    await write('a.txt', 'old and old\r\nnew\n');
    await write('b/c.txt', '\uFEFFthe old\nway');
    await write('d.txt', 'nothing here');
    await write('bin', Buffer.from('old\0'));
  });

  test('replaces plain text in all files, and a second time finds nothing', async () => {
    await used.api.asRoot(
      box.id,
      `chmod 4755 ${root}/a.txt && chown 7:8 ${root}/b/c.txt && ln -s a.txt ${root}/link`,
    );
    const untouched = await used.api.stat(box.id, `${root}/d.txt`);
    const fields = { path: root, pattern: 'old', replacement: '$1 ${x} $$' };
    expect(await replace(box.id, fields)).toEqual({
      files: [
        { path: `${root}/a.txt`, replacements: 2 },
        { path: `${root}/b/c.txt`, replacements: 1 },
      ],
      files_changed: 2,
      replacements: 3,
      truncated: false,
      files_skipped: { binary: 1, too_large: 0, unreadable: 0 },
    });
    expect(await read('a.txt')).toBe('$1 ${x} $$ and $1 ${x} $$\r\nnew\n');
    expect(await read('b/c.txt')).toBe('\uFEFFthe $1 ${x} $$\nway');
    expect(await used.api.stat(box.id, `${root}/b/c.txt`)).toMatchObject({ uid: 7, gid: 8 });
    expect((await used.api.stat(box.id, `${root}/a.txt`)).permissions).toMatch(/755$/);
    expect(await used.api.stat(box.id, `${root}/d.txt`)).toEqual(untouched);
    expect((await used.api.stat(box.id, `${root}/link`, '&follow_symlinks=false')).type).toBe(
      'symlink',
    );
    expect((await replace(box.id, fields)).files).toEqual([]);
  });

  test('a dry run changes nothing and tells the same', async () => {
    const fields = { path: root, pattern: 'old', replacement: 'new' };
    const dry = await replace(box.id, { ...fields, dry_run: true });
    expect(await read('a.txt')).toContain('old');
    expect(await replace(box.id, fields)).toEqual(dry);
    expect(await read('a.txt')).toBe('new and new\r\nnew\n');
  });

  test('groups of an expression, line by line, keeping the ends of lines', async () => {
    const result = await replace(box.id, {
      path: root,
      pattern: '(?P<first>\\w+) and (\\w+)$|^(new)$',
      regex: true,
      replacement: '<$2 ${first} $3 $$1 $>',
    });
    expect(result.replacements).toBe(2);
    expect(await read('a.txt')).toBe('<old old  $1 $>\r\n<  new $1 $>\n');
    await write('empty-matches', 'ab\n\n');
    await replace(box.id, {
      path: `${root}/empty-matches`,
      pattern: 'x*',
      regex: true,
      replacement: '-',
    });
    expect(await read('empty-matches')).toBe('-a-b-\n-\n');
  });

  test('plain text may span lines; case can be ignored', async () => {
    await replace(box.id, { path: root, pattern: 'old\nway', replacement: 'road' });
    expect(await read('b/c.txt')).toBe('\uFEFFthe road');
    await replace(box.id, {
      path: root,
      pattern: 'OLD',
      case_sensitive: false,
      replacement: '$0',
    });
    expect(await read('a.txt')).toBe('$0 and $0\r\nnew\n');
  });

  test('a file that changes meanwhile is left alone and named', async () => {
    const line = 'old text that is long enough to take a while\n'.repeat(150_000);
    await write('big', line);
    const writer = used.api.exec(
      box.id,
      `i=0; while [ $i -lt 100 ]; do echo $i >> ${root}/big; i=$((i+1)); sleep 0.01; done`,
    );
    const result = await replace(box.id, { path: `${root}/big`, pattern: 'old', replacement: 'X' });
    await writer;
    const text = await read('big');
    const [row] = result.files;
    if (row === undefined) {
      // It grew between the size and the bytes: it was not read at all.
      expect(result.files_skipped.unreadable).toBe(1);
    } else if (row.code === undefined) expect(text.startsWith('X text')).toBe(true);
    else {
      expect(row.code).toBe('file_changed');
      expect(result.files_changed).toBe(0);
      expect(text.startsWith('old text')).toBe(true);
      expect(text.length).toBeGreaterThan(line.length);
    }
  });

  test('a file whose name is not UTF-8 is left alone', async () => {
    await used.api.asRoot(box.id, `printf old > "${root}/$(printf 'x\\377')"`);
    const result = await replace(box.id, { path: root, pattern: 'old', replacement: 'new' });
    expect(result.files_skipped.unreadable).toBe(1);
    expect((await used.api.names(box.id, root)).length).toBe(5);
  });
});

describe('limits and bad requests', () => {
  const box = useSandbox(used, 'container');

  test('an unknown group is refused before anything is changed', async () => {
    const fields = { path: '/etc', pattern: '(a)', regex: true };
    for (const replacement of ['$2', '${no}', '${2}']) {
      const fault = faultOf(await send(box.id, { ...fields, replacement }), 'invalid_pattern');
      expect(fault.error).toContain('group');
    }
  });

  test('a result that would be huge is refused for that file', async () => {
    await used.api.write(box.id, '/workspace/many', 'a'.repeat(100_000));
    const result = await replace(box.id, {
      path: '/workspace/many',
      pattern: 'a',
      replacement: 'b'.repeat(60_000),
    });
    expect(result.files).toMatchObject([{ replacements: 0, code: 'payload_too_large' }]);
    expect((await used.api.stat(box.id, '/workspace/many')).size).toBe(100_000);
  });

  test('files on a read-only volume are told one by one', async () => {
    const answer = await used.api.sendJson('POST', '/v1/volumes', { name: 'ro-replace' });
    expect(answer.status).toBeLessThan(300);
    const writer = await used.api.create({
      isolation: 'container',
      volumes: [{ name: 'ro-replace' }],
    });
    await used.api.write(writer.id, '/mnt/ro-replace/f', 'old');
    await used.api.kill(writer.id);
    const reader = await used.api.create({
      isolation: 'container',
      volumes: [{ name: 'ro-replace', read_only: true }],
    });
    try {
      const result = await replace(reader.id, {
        path: '/mnt/ro-replace',
        pattern: 'old',
        replacement: 'new',
      });
      expect(result.files).toMatchObject([{ code: 'read_only', replacements: 1 }]);
      expect(result.files_changed).toBe(0);
    } finally {
      await used.api.kill(reader.id);
      await used.api.send('DELETE', '/v1/volumes/ro-replace');
    }
  });
});
