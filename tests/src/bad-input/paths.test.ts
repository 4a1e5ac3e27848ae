import { expect, test } from 'vitest';
import {
  expectServing,
  faultOf,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();

/** Every request that takes a path, as [method, route, body]. */
const routes = [
  ['GET', '/fs', undefined],
  ['HEAD', '/fs', undefined],
  ['PUT', '/fs', 'x'],
  ['DELETE', '/fs', undefined],
  ['GET', '/fs/dir', undefined],
  ['GET', '/fs/stat', undefined],
  ['POST', '/fs/mkdir', undefined],
] as const;

const invalid: [name: string, query: string][] = [
  ['empty', '?path='],
  ['relative', '?path=etc/hostname'],
  ['relative with a dot', '?path=./etc'],
  ['relative with two dots', '?path=../etc'],
  ['with a NUL byte', '?path=/etc/hostname%00.txt'],
  ['of nothing but a NUL byte', '?path=%00'],
  ['of 4,096 bytes', `?path=${'/abcdefg'.repeat(512)}`],
  ['of 4,097 bytes in 2,049 characters', `?path=/${'%C3%A9'.repeat(100).concat('/').repeat(21)}`],
  ['with a name of 256 bytes', `?path=/tmp/${'n'.repeat(256)}`],
  ['with a name of 256 bytes in 128 characters', `?path=/tmp/${'%C3%A9'.repeat(128)}`],
  ['with a name of 256 bytes in the middle', `?path=/tmp/${'n'.repeat(256)}/x`],
];

const names: [what: string, name: string][] = [
  ['255 bytes', 'n'.repeat(255)],
  ['255 bytes of UTF-8', `${'é'.repeat(127)}n`],
  ['spaces', ' a  b '],
  ['a newline', 'a\nb\n'],
  ['control characters', '\x01\x1b[31m\x7f\r\t'],
  ['other scripts and an emoji', 'Ünï-文件-ملف-🙂'],
  ['a combining and a ready-made accent', 'e\u0301 é'],
  ['what shells and URLs take for their own', `$(id)'"\\*?&=+%2F#;|<>`],
  ['a dash in front', '-rf'],
  ['three dots', '...'],
  ['a byte order mark', '\uFEFFbom'],
];

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  test.each(invalid)('a path that is %s is 400 on every route', async (_name, query) => {
    for (const [method, route, body] of routes) {
      const answer = await used.api.send(
        method,
        `/v1/sandboxes/${box.id}${route}${query}`,
        body === undefined ? {} : { body },
      );
      if (method === 'HEAD') expect(answer.status).toBe(400);
      else expect(faultOf(answer, 'invalid_path').error).toMatch(/path/);
    }
  });

  test('no path at all is 400 where one is needed', async () => {
    for (const [method, route] of routes.filter(([, route]) => route !== '/fs/dir')) {
      const answer = await used.api.send(method, `/v1/sandboxes/${box.id}${route}`);
      expect(answer.status).toBe(400);
    }
  });

  test.each(['%FF', '%C3', '%ED%A0%80', '%2', '%zz', '%C0%AF'])(
    'a path with %s, which is not UTF-8, is 400',
    async (bytes) => {
      for (const [method, route] of routes) {
        const path = `/v1/sandboxes/${box.id}${route}?path=/tmp/${bytes}`;
        const answer = await used.api.send(method, path);
        expect(answer.status).toBe(400);
        if (method !== 'HEAD') faultOf(answer, 'invalid_request');
      }
      await expectServing(used, box.id);
    },
  );

  test.each(names)('a name of %s is written, read, listed and removed', async (_what, name) => {
    const directory = '/tmp/names';
    const path = `${directory}/${name}`;
    await used.api.write(box.id, path, name);
    expect((await used.api.read(box.id, path)).toString()).toBe(name);
    expect(await used.api.names(box.id, directory)).toEqual([name]);
    expect(await used.api.stat(box.id, path)).toMatchObject({ name, path, type: 'file' });
    // The guest sees the same bytes.
    const inside = await used.api.execFields(box.id, {
      args: ['python3', '-c', 'import os,sys; sys.stdout.write(os.listdir("/tmp/names")[0])'],
    });
    expect(inside.stdout).toBe(name);
    expect((await used.api.remove(box.id, path)).status).toBe(204);
    expect(await used.api.names(box.id, directory)).toEqual([]);
  });

  test('a name that is not UTF-8 is listed with its bytes, and goes with its directory', async () => {
    await used.api.execFields(box.id, {
      args: [
        'python3',
        '-c',
        'import os; os.mkdir("/tmp/raw"); open(b"/tmp/raw/a\\xff\\xfeb","w")',
      ],
    });
    expect(await used.api.entries(box.id, '/tmp/raw')).toMatchObject([
      { name: 'a\uFFFD\uFFFDb', name_base64: Buffer.from('61fffe62', 'hex').toString('base64') },
    ]);
    expect((await used.api.remove(box.id, '/tmp/raw')).status).toBe(204);
    faultOf(await used.api.listing(box.id, '/tmp/raw'), 'file_not_found');
  });

  test('a path of 3,900 bytes is written and read', async () => {
    const path = `/tmp/deep/${`${'d'.repeat(199)}/`.repeat(19)}`.padEnd(3900, 'f');
    await used.api.write(box.id, path, 'deep');
    expect((await used.api.read(box.id, path)).toString()).toBe('deep');
    expect((await used.api.remove(box.id, '/tmp/deep')).status).toBe(204);
    faultOf(await used.api.listing(box.id, '/tmp/deep'), 'file_not_found');
  });

  test('reading a directory is 409, and so is writing onto one', async () => {
    await used.api.mkdir(box.id, '/tmp/dir/sub');
    for (const path of ['/', '/tmp', '/tmp/dir', '/tmp/dir/', '/tmp/dir/.', '/tmp/dir/sub/..']) {
      expect(faultOf(await used.api.open(box.id, path), 'is_directory').error).toContain(path);
      expect(faultOf(await used.api.put(box.id, path, 'x'), 'is_directory')).toMatchObject({
        path,
      });
    }
    expect(await used.api.names(box.id, '/tmp/dir')).toEqual(['sub']);
  });

  test('a file where a directory is needed is 409', async () => {
    await used.api.write(box.id, '/tmp/plain', 'x');
    const code = 'not_a_directory';
    faultOf(await used.api.listing(box.id, '/tmp/plain'), code);
    faultOf(await used.api.open(box.id, '/tmp/plain/below'), code);
    faultOf(await used.api.put(box.id, '/tmp/plain/below', 'x'), code);
    faultOf(await used.api.mkdir(box.id, '/tmp/plain/below'), code);
    faultOf(await used.api.mkdir(box.id, '/tmp/plain'), code);
    faultOf(await used.api.open(box.id, '/tmp/plain/'), code);
    expect((await used.api.read(box.id, '/tmp/plain')).toString()).toBe('x');
  });

  test('a directory that is not empty is 409 without recursive, the root always', async () => {
    await used.api.write(box.id, '/tmp/full/file', 'x');
    const full = await used.api.remove(box.id, '/tmp/full', '&recursive=false');
    faultOf(full, 'directory_not_empty');
    expect(await used.api.names(box.id, '/tmp/full')).toEqual(['file']);
    for (const path of ['/', '//']) faultOf(await used.api.remove(box.id, path), 'path_busy');
    for (const path of ['/..', '/tmp/..', '/tmp/.'])
      faultOf(await used.api.remove(box.id, path), 'invalid_path');
    expect(await used.api.names(box.id, '/')).toContain('workspace');
  });
});
