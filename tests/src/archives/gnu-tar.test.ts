import { gunzipSync, gzipSync } from 'node:zlib';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Api,
  faultOf,
  filePath,
  json,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';
import { gnuTar, manifest, manifestLines, plantRichTree, scratchDirectory } from './local-trees.ts';

const used = useDaemon();

const putArchive = (api: Api, id: string, path: string, archive: Uint8Array, query = '') =>
  api.send('PUT', `${filePath(id, '/archive', path)}${query}`, { body: archive });
const getArchive = (api: Api, id: string, path: string, query = '') =>
  api.send('GET', `${filePath(id, '/archive', path)}${query}`);

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);

  /** What the guest itself sees. */
  async function guestManifest(path: string, time: 'ns' | 's' = 'ns'): Promise<string[]> {
    const format = `%P\\t%y\\t%m\\t%s\\t%T${time === 'ns' ? '@' : 's'}\\t%l\\t%n\\0`;
    const find = `find '${path}' -mindepth 1 -printf '${format}'`;
    const output = await used.api.asRoot(box.id, `${find} | base64 -w0`);
    return manifestLines(Buffer.from(output, 'base64').toString('latin1'));
  }

  test('what is no tar archive is told from a damaged one', async () => {
    const xz = Buffer.concat([Buffer.from('fd377a585a000004', 'hex'), Buffer.alloc(4096, 'x')]);
    for (const bytes of [Buffer.from('hello'), xz, gzipSync(xz)]) {
      const answer = await putArchive(used.api, box.id, '/tmp/no-tar', bytes);
      expect(faultOf(answer, 'invalid_archive')['reason']).toContain('plain tar, gzip and zstd');
    }
    const broken = await putArchive(used.api, box.id, '/tmp/no-tar', gzipSync(xz).subarray(0, 20));
    expect(faultOf(broken, 'invalid_archive')['reason']).toBe('unexpected end of file');
  });

  describe.each(['tar', 'tar.gz', 'tar.zst'])('as %s', (format) => {
    const flags = { tar: [], 'tar.gz': ['-z'], 'tar.zst': ['--zstd'] }[format] ?? [];

    test('what GNU tar packs arrives whole, and comes back the same to GNU tar', async () => {
      const source = scratchDirectory();
      plantRichTree(source);
      const target = `/workspace/rich-${format}`;
      const packed = gnuTar(['--sort=name', ...flags, '-C', source, '-cf', '-', '.']);
      const result = json(await putArchive(used.api, box.id, target, packed), 200);
      expect(result).toMatchObject({ path: target, files: 12, hard_links: 2, symlinks: 4 });
      const withoutSetId = (lines: string[]) =>
        lines.map((line) => line.replace('\t2770\t', '\t770\t'));
      expect(await guestManifest(target, 's')).toEqual(withoutSetId(manifest(source, 's')));

      const answer = await getArchive(used.api, box.id, target, `&format=${format}`);
      expect(answer.status).toBe(200);
      const back = scratchDirectory();
      gnuTar(['-p', ...flags, '-C', back, '-xf', '-'], answer.body);
      expect(manifest(back)).toEqual(await guestManifest(target));
      execFileSync('diff', ['-r', '--no-dereference', source, back]);
    });
  });

  test.each([
    ['gnu', {}],
    ['pax', { bytes: false }],
    ['ustar', { long: false }],
    ['v7', { long: false }],
  ])('archives of the format %s are read', async (format, options) => {
    const source = scratchDirectory();
    plantRichTree(source, options);
    const target = `/workspace/format-${format}`;
    const packed = gnuTar([`--format=${format}`, '-C', source, '-cf', '-', '.']);
    json(await putArchive(used.api, box.id, target, packed, '&keep_owner=true'), 200);
    const time = format === 'pax' ? 'ns' : 's';
    expect(await guestManifest(target, time)).toEqual(manifest(source, time));
    const owners = await used.api.asRoot(
      box.id,
      `find ${target} -mindepth 1 -printf '%U:%G\n' | sort -u`,
    );
    expect(owners.trim()).toBe('0:0');
  });

  test('a PAX name that is not UTF-8 is refused, not changed', async () => {
    const source = scratchDirectory();
    plantRichTree(source, { long: false });
    const packed = gnuTar(['--format=pax', '-C', source, '-cf', '-', '.']);
    const fault = faultOf(
      await putArchive(used.api, box.id, '/tmp/pax', packed),
      'invalid_archive',
    );
    expect(fault.error).toContain('--format=gnu');
  });

  test('a sparse archive is refused', async () => {
    const source = scratchDirectory();
    execFileSync('truncate', ['-s', '1M', join(source, 'holes')]);
    for (const format of ['gnu', 'pax']) {
      const packed = gnuTar(['--sparse', `--format=${format}`, '-C', source, '-cf', '-', '.']);
      faultOf(await putArchive(used.api, box.id, '/tmp/sparse', packed), 'invalid_archive');
    }
  });

  test('owners: of the user, or of the archive when asked for', async () => {
    const source = scratchDirectory();
    execFileSync('sh', ['-c', 'echo x > f; chmod 6755 f; mkdir d; ln -s f l'], { cwd: source });
    const packed = gnuTar(['--owner=1234', '--group=77', '-C', source, '-cf', '-', 'f', 'd', 'l']);
    const owners = (path: string) =>
      used.api.asRoot(box.id, `cd ${path} && stat -c '%n %a %u:%g' f d l`);
    json(await putArchive(used.api, box.id, '/tmp/users', packed), 200);
    const user = (await used.api.exec(box.id, 'echo $(id -u):$(id -g)')).stdout.trim();
    expect(await owners('/tmp/users')).toBe(`f 755 ${user}\nd 755 ${user}\nl 777 ${user}\n`);
    json(await putArchive(used.api, box.id, '/tmp/kept', packed, '&keep_owner=true'), 200);
    expect(await owners('/tmp/kept')).toBe('f 6755 1234:77\nd 755 1234:77\nl 777 1234:77\n');
    const foreign = gnuTar(['--owner=70000', '--group=0', '-C', source, '-cf', '-', 'f']);
    const answer = await putArchive(used.api, box.id, '/tmp/kept', foreign, '&keep_owner=true');
    expect(faultOf(answer, 'permission_denied').error).toContain('70000');
  });

  test('globs leave out files, and directories with all that is in them', async () => {
    await used.api.asRoot(
      box.id,
      'mkdir -p /tmp/ex/node_modules/a /tmp/ex/src && cd /tmp/ex && touch node_modules/a/x src/a.js src/b.ts top.js',
    );
    const answer = await getArchive(
      used.api,
      box.id,
      '/tmp/ex',
      '&exclude=node_modules&exclude=*.js',
    );
    const names = gnuTar(['-tf', '-'], answer.body).toString().trim().split('\n');
    expect(names).toEqual(['src/', 'src/b.ts']);
    faultOf(await getArchive(used.api, box.id, '/tmp/ex', '&exclude=[a'), 'invalid_pattern');
  });

  test('what cannot be packed is told before anything is sent', async () => {
    faultOf(await getArchive(used.api, box.id, '/no/where'), 'file_not_found');
    faultOf(await getArchive(used.api, box.id, '/etc/passwd'), 'not_a_directory');
    faultOf(await getArchive(used.api, box.id, '/tmp', '&format=zip'), 'invalid_request');
    const empty = await getArchive(used.api, box.id, '/proc', '&format=tar.gz');
    expect(gnuTar(['-tf', '-'], gunzipSync(empty.body)).toString()).toBe('');
  });
});
