import { expect, test } from 'vitest';
import {
  expectNothingLeft,
  faultOf,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();

const prepare = `
set -e
mkdir -p /tmp/links/sub && cd /tmp/links
echo inside > file
ln -s file relative
ln -s /tmp/links/file absolute
ln -s ../../../../../../../../tmp/links/file above
ln -s relative two-steps
ln -s missing dangling
ln -s /tmp/links/new/deep dangling-deep
ln -s self self
ln -s b a; ln -s a b
ln -s loop/x loop
ln -s sub directory
ln -s / root
i=0; ln -s file chain0; while [ $i -lt 45 ]; do ln -s chain$i chain$((i+1)); i=$((i+1)); done
`;

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const at = (name: string) => `/tmp/links/${name}`;

  test('the guest prepares its links', async () => {
    expect(await used.api.exec(box.id, prepare)).toMatchObject({ stderr: '', exit_code: 0 });
  });

  test.each(['relative', 'absolute', 'above', 'two-steps', 'root/tmp/links/file', 'chain39'])(
    '%s leads to the file inside',
    async (name) => {
      expect((await used.api.read(box.id, at(name))).toString()).toBe('inside\n');
    },
  );

  test.each(['/..', '/../..', '/../../../../..', '/tmp/../..', '/tmp/links/sub/../../../..'])(
    '%s is the root of the guest',
    async (prefix) => {
      const inside = await used.api.exec(box.id, 'cat /etc/passwd');
      const outside = await used.api.read(box.id, `${prefix}/etc/passwd`);
      expect(outside.toString()).toBe(inside.stdout);
      expect(await used.api.names(box.id, prefix)).toEqual(await used.api.names(box.id, '/'));
    },
  );

  test.each(['self', 'a', 'b', 'loop', 'chain45', 'self/below'])(
    '%s is a loop: 400',
    async (name) => {
      for (const answer of [
        await used.api.open(box.id, at(name)),
        await used.api.put(box.id, at(name), 'x'),
        await used.api.listing(box.id, at(name)),
        await used.api.statAnswer(box.id, at(name)),
        await used.api.mkdir(box.id, at(`${name}/new`)),
      ]) {
        expect(faultOf(answer, 'symlink_loop').error).toContain(at(name));
        expect(answer.ms).toBeLessThan(1_000);
      }
      await expectNothingLeft(used, box.id);
    },
  );

  test('a dangling link is 404 to read, and a write makes its target', async () => {
    faultOf(await used.api.open(box.id, at('dangling')), 'file_not_found');
    faultOf(await used.api.statAnswer(box.id, at('dangling')), 'file_not_found');
    const link = await used.api.stat(box.id, at('dangling'), '&follow_symlinks=false');
    expect(link).toMatchObject({ type: 'symlink', mode: 'l', symlink_target: 'missing' });
    await used.api.write(box.id, at('dangling'), 'made');
    await used.api.write(box.id, at('dangling-deep'), 'made deep');
    const seen = await used.api.exec(
      box.id,
      `cd /tmp/links; cat missing new/deep; readlink dangling`,
    );
    expect(seen.stdout).toBe('mademade deepmissing\n');
  });

  test('a write through a link writes the target and keeps the link', async () => {
    await used.api.write(box.id, at('two-steps'), 'changed');
    const seen = await used.api.exec(
      box.id,
      `cd /tmp/links; cat file; readlink two-steps relative`,
    );
    expect(seen.stdout).toBe('changedrelative\nfile\n');
  });

  test('removing a link leaves its target, also when that is a directory', async () => {
    await used.api.write(box.id, at('sub/kept'), 'kept');
    for (const name of ['directory', 'root', 'self', 'absolute'])
      expect((await used.api.remove(box.id, at(name))).status).toBe(204);
    expect((await used.api.read(box.id, at('sub/kept'))).toString()).toBe('kept');
    expect((await used.api.read(box.id, at('file'))).toString()).toBe('changed');
    expect(await used.api.names(box.id, '/')).toContain('workspace');
  });

  test.each([
    '/proc/self/exe',
    '/proc/self/root',
    '/proc/self/root/etc/passwd',
    '/proc/1/cwd/etc/passwd',
    '/proc/self/fd/0',
    '/proc/thread-self/root/etc/passwd',
    '/dev/fd/0',
    '/dev/stdin',
  ])('the magic link %s leads nowhere', async (path) => {
    for (const answer of [
      await used.api.open(box.id, path),
      await used.api.put(box.id, path, 'x'),
      await used.api.listing(box.id, path),
    ]) {
      expect([400, 404, 409]).toContain(answer.status);
      const { code } = JSON.parse(answer.body.toString());
      expect(['symlink_loop', 'file_not_found', 'not_a_regular_file']).toContain(code);
    }
  });
});
