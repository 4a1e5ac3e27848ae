import { type Search, type SearchResult, searchResultSchema } from '@sandport/protocol';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { faultOf, json, onEachIsolation, useDaemon, useSandbox } from '../harness/index.ts';

const used = useDaemon();

const send = (id: string, fields: unknown) =>
  used.api.sendJson('POST', `/v1/sandboxes/${id}/fs/search`, fields);

async function search(id: string, fields: Search): Promise<SearchResult> {
  return searchResultSchema.parse(json(await send(id, fields), 200));
}

const places = ({ matches }: SearchResult) =>
  matches.map(({ path, line, column }) => `${path}:${line}:${column}`);

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const root = '/workspace/tree';
  const write = (path: string, text: string | Uint8Array) =>
    used.api.write(box.id, `${root}/${path}`, text);

  beforeAll(async () => {
    if (!used.daemon.isolations.includes(isolation)) return;
    await write('a.ts', 'const needle = 1;\r\nnothing\nünï😀 needle and needle\n');
    await write('src/b.ts', 'first\nNeedle\nlast needle');
    await write('src/c.md', '# needle\n');
    await write('node_modules/x/d.ts', 'needle\n');
    await write('.hidden/e.ts', 'needle\n');
    await write('binary', Buffer.from('needle\0'));
    await write('latin1', Buffer.from([0x6e, 0x65, 0x65, 0x64, 0x6c, 0x65, 0xe9]));
    await write('empty', '');
    await write('new\nline', 'needle\n');
    await used.api.asRoot(box.id, `ln -s a.ts ${root}/link; ln -s . ${root}/loop`);
  });

  test('finds text with line and column, in tree order, and says what it left out', async () => {
    const result = await search(box.id, { path: root, pattern: 'needle' });
    expect(places(result)).toEqual([
      `${root}/.hidden/e.ts:1:1`,
      `${root}/a.ts:1:7`,
      `${root}/a.ts:3:6`,
      `${root}/new\nline:1:1`,
      `${root}/node_modules/x/d.ts:1:1`,
      `${root}/src/b.ts:3:6`,
      `${root}/src/c.md:1:3`,
    ]);
    expect(result).toMatchObject({
      truncated: false,
      files_searched: 7,
      files_skipped: { binary: 2, too_large: 0, unreadable: 0 },
    });
    expect(result.matches[1]?.text).toBe('const needle = 1;');
  });

  test('globs choose files and directories; hidden names can be left out', async () => {
    const pattern = 'needle';
    const found = async (fields: Partial<Search>) =>
      places(await search(box.id, { path: root, pattern, ...fields })).map((place) =>
        place.slice(root.length + 1).replace(/:.*/, ''),
      );
    expect(await found({ include: ['*.md'] })).toEqual(['src/c.md']);
    expect(await found({ include: ['src/*.ts', 'a.*'] })).toEqual(['a.ts', 'a.ts', 'src/b.ts']);
    expect(await found({ include: ['*.ts'], exclude: ['node_modules', '.hidden'] })).toEqual([
      'a.ts',
      'a.ts',
      'src/b.ts',
    ]);
    expect(await found({ include: ['*.ts'], exclude: ['**/x/**'], hidden: false })).toEqual([
      'a.ts',
      'a.ts',
      'src/b.ts',
    ]);
    expect(await found({ path: `${root}/src/c.md` })).toHaveLength(1);
    expect(await found({ path: `${root}/link` })).toHaveLength(2);
    expect(await found({ include: ['nothing'] })).toEqual([]);
  });

  test('regular expressions, without regard to case, and lines around', async () => {
    const expression = await search(box.id, {
      path: `${root}/src`,
      pattern: '^(last )?n[e]+dle$',
      regex: true,
      case_sensitive: false,
      context_lines: 1,
    });
    expect(expression.matches).toEqual([
      {
        path: `${root}/src/b.ts`,
        line: 2,
        column: 1,
        text: 'Needle',
        before: ['first'],
        after: ['last needle'],
      },
      {
        path: `${root}/src/b.ts`,
        line: 3,
        column: 1,
        text: 'last needle',
        before: ['Needle'],
        after: [],
      },
    ]);
    const text = await search(box.id, { path: root, pattern: 'NEEDLE', case_sensitive: false });
    expect(text.matches).toHaveLength(8);
    const returned = await search(box.id, { path: root, pattern: '1;$', regex: true });
    expect(places(returned)).toEqual([`${root}/a.ts:1:16`]);
  });

  test('stops at max_matches, and only says truncated when there was more', async () => {
    const three = await search(box.id, { path: root, pattern: 'needle', max_matches: 3 });
    expect([three.matches.length, three.truncated]).toEqual([3, true]);
    const seven = await search(box.id, { path: root, pattern: 'needle', max_matches: 7 });
    expect([seven.matches.length, seven.truncated]).toEqual([7, false]);
  });

  test('finds the same lines as grep', async () => {
    const line = fc.array(fc.constantFrom('a', 'b', 'ab', ' ', 'é', '.', 'x'), { maxLength: 8 });
    const file = fc
      .array(
        line.map((each) => each.join('')),
        { maxLength: 12 },
      )
      .map((lines) => lines.join('\n'));
    const name = fc.constantFrom('f', 'd/g', 'd/e/h', '-x', 'z z', '*');
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, file, { minKeys: 1, noNullPrototype: true }),
        fc.constantFrom('ab', 'a.*x', '^b', 'é$', '[ab]+ ', 'x'),
        async (tree, pattern) => {
          await used.api.remove(box.id, '/workspace/random');
          const body = Object.entries(tree)
            .map(([path, content]) =>
              JSON.stringify({ path: `/workspace/random/${path}`, content }),
            )
            .join('\n');
          const path = `/v1/sandboxes/${box.id}/fs/batch/write`;
          expect(json(await used.api.send('POST', path, { body }), 200)).toMatchObject({
            failed: 0,
          });
          const grep = await used.api.exec(
            box.id,
            `LC_ALL=C.UTF-8 grep -rnE -- '${pattern}' /workspace/random | sort`,
          );
          const result = await search(box.id, {
            path: '/workspace/random',
            pattern,
            regex: true,
          });
          const found = result.matches.map((match) => `${match.path}:${match.line}:${match.text}`);
          expect(found.toSorted()).toEqual(grep.stdout.split('\n').filter(Boolean).toSorted());
        },
      ),
      { numRuns: 15 },
    );
  });

  test('works on a sandbox whose processes are gone', async () => {
    const dead = await used.api.create({ isolation });
    try {
      await used.api.write(dead.id, '/workspace/f', 'needle');
      await used.api.exec(dead.id, 'kill -9 -1', { user: 'root' }).catch(() => undefined);
      const result = await search(dead.id, { path: '/workspace', pattern: 'needle' });
      expect(places(result)).toEqual(['/workspace/f:1:1']);
    } finally {
      await used.api.kill(dead.id);
    }
  });
});

describe('bad requests', () => {
  const box = useSandbox(used, 'container');

  test.each([
    ['invalid_pattern', { pattern: '(', regex: true }],
    ['invalid_pattern', { pattern: '(?=a)', regex: true }],
    ['invalid_pattern', { pattern: `(${'a{500}'.repeat(400)})`, regex: true }],
    ['invalid_pattern', { pattern: 'a\nb' }],
    ['invalid_pattern', { pattern: 'a', include: ['[a'] }],
    ['invalid_request', { pattern: '' }],
    ['invalid_request', { pattern: 'a', max_matches: 0 }],
    ['invalid_request', { pattern: 'a', context_lines: 11 }],
    ['invalid_request', { pattern: 'a', other: 1 }],
    ['file_not_found', { pattern: 'a', path: '/no/such' }],
    ['invalid_path', { pattern: 'a', path: 'relative' }],
    ['not_a_regular_file', { pattern: 'a', path: '/dev/null' }],
  ] as const)('%s: %j', async (code, fields) => {
    const started = performance.now();
    const fault = faultOf(await send(box.id, { path: '/etc', ...fields }), code);
    expect(fault.error.length).toBeLessThan(1000);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
