import { changedSchema, diskUsageSchema, fileEntrySchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import {
  expectNothingLeft,
  faultOf,
  filePath,
  json,
  onEachIsolation,
  useDaemon,
  useSandbox,
} from '../harness/index.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation, { volumes: [{ name: `operations-${isolation}` }] });
  const volume = `/mnt/operations-${isolation}`;
  const post = (operation: string, body: unknown) =>
    used.api.sendJson('POST', `/v1/sandboxes/${box.id}/fs/${operation}`, body);
  const entry = async (operation: string, body: unknown) =>
    fileEntrySchema.parse(json(await post(operation, body), 200));
  const changed = async (operation: string, body: unknown) =>
    changedSchema.parse(json(await post(operation, body), 200)).changed;
  const inside = (command: string) => used.api.asRoot(box.id, command);
  /** What is at a path, as programs inside see it. */
  const tree = (path: string) =>
    inside(`cd ${path} && find . -printf '%p %y %m %U:%G %T@ %l %n\\n' | sort`);
  const plant = (path: string) =>
    inside(
      `mkdir -p ${path}/sub/empty; cd ${path}; echo text > file; head -c 3000000 /dev/zero | tr '\\0' x > sub/large; ` +
        `ln file sub/hard; ln -s ../file sub/link; ln -s /nowhere dangling; chmod 4751 file; chmod 2750 sub; ` +
        `chown 12:34 file; chmod 4751 file; chown -h 5:6 dangling; touch -d @1000000000.25 file sub/large sub/empty sub .`,
    );

  test('move renames, also to a volume and back', async () => {
    await plant('/workspace/tree');
    const before = await tree('/workspace/tree');
    const moved = { from: '/workspace/tree', to: '/workspace/new/place' };
    expect(await entry('move', moved)).toMatchObject({ path: moved.to, type: 'directory' });
    expect(await tree(moved.to)).toBe(before);
    await entry('move', { from: moved.to, to: `${volume}/tree` });
    expect(await tree(`${volume}/tree`)).toBe(before);
    expect((await used.api.statAnswer(box.id, moved.to)).status).toBe(404);
    await entry('move', { from: `${volume}/tree`, to: '/workspace/tree' });
    expect(await tree('/workspace/tree')).toBe(before);
    const link = { from: '/workspace/tree/dangling', to: '/workspace/link' };
    expect(await entry('move', link)).toMatchObject({ symlink_target: '/nowhere' });
    await expectNothingLeft(used, box.id);
  });

  test('move takes directories of the template', async () => {
    const before = await inside('ls /usr/share/doc | head -5');
    await entry('move', { from: '/usr/share/doc', to: '/workspace/doc' });
    expect(
      await inside('ls /workspace/doc | head -5; ls /usr/share | grep -c "^doc$" || true'),
    ).toBe(`${before}0\n`);
  });

  test('copy keeps what there is to keep', async () => {
    await plant('/workspace/original');
    const before = await tree('/workspace/original');
    await entry('copy', { from: '/workspace/original', to: '/workspace/deep/copy' });
    expect(await tree('/workspace/deep/copy')).toBe(before);
    await entry('copy', { from: '/workspace/original', to: `${volume}/copy` });
    expect(await tree(`${volume}/copy`)).toBe(before);
    expect(await tree('/workspace/original')).toBe(before);
    const file = { from: '/workspace/original/sub/link', to: '/workspace/file' };
    expect(await entry('copy', file)).toMatchObject({ type: 'file', permissions: '4751', uid: 12 });
    await expectNothingLeft(used, box.id);
  });

  test('what a move or a copy may not do is refused', async () => {
    await inside(
      'mkdir -p /workspace/d/sub /workspace/e; echo a > /workspace/a; echo b > /workspace/b',
    );
    const at = (name: string) => `/workspace/${name}`;
    const both = { from: at('a'), to: at('b') };
    for (const operation of ['move', 'copy']) {
      faultOf(await post(operation, both), 'already_exists');
      faultOf(await post(operation, { from: at('none'), to: at('x') }), 'file_not_found');
      faultOf(
        await post(operation, { from: at('a'), to: at('d'), overwrite: true }),
        'is_directory',
      );
      faultOf(await post(operation, { from: at('a'), to: '/proc/x' }), 'not_a_regular_file');
      faultOf(await post(operation, { from: '/dev/null', to: at('x') }), 'not_a_regular_file');
      faultOf(await post(operation, { from: 'a', to: at('x') }), 'invalid_path');
      faultOf(await post(operation, { from: at('a') }), 'invalid_request');
      const inner = faultOf(
        await post(operation, { from: at('d'), to: at('d/sub/x') }),
        'invalid_path',
      );
      expect(inner.error).toContain('into itself');
    }
    faultOf(await post('move', { from: '/', to: at('x') }), 'path_busy');
    faultOf(await post('move', { from: volume, to: at('x') }), 'path_busy');
    faultOf(await post('move', { from: '/mnt', to: at('x') }), 'path_busy');
    faultOf(
      await post('move', { from: at('e'), to: at('d'), overwrite: true }),
      'directory_not_empty',
    );
    faultOf(await post('copy', { from: at('e'), to: at('d'), overwrite: true }), 'already_exists');
    expect(
      faultOf(await post('move', { from: at('none'), to: at('x') }), 'file_not_found'),
    ).toMatchObject({ path: at('none') });
    await entry('copy', { ...both, overwrite: true });
    await entry('move', { ...both, overwrite: true });
    expect(await inside('cat /workspace/b; ls /workspace/a 2>&1 || true')).toMatch(
      /^a\nls: .*No such/,
    );
  });

  test('chmod and chown set one entry or a tree', async () => {
    await inside(
      'mkdir -p /workspace/own/sub; touch /workspace/own/sub/f; ln -s /etc/hostname /workspace/own/l',
    );
    const path = '/workspace/own';
    expect(await changed('chmod', { path, mode: '0711' })).toBe(1);
    expect(await changed('chmod', { path, mode: '0750', recursive: true })).toBe(3);
    expect(await changed('chown', { path, user: 'user', group: 'daemon', recursive: true })).toBe(
      4,
    );
    const seen = await inside(
      `stat -c '%a %U:%G' ${path}/sub ${path}/sub/f; stat -c %U:%G ${path}/l /etc/hostname`,
    );
    expect(seen).toBe('750 user:daemon\n750 user:daemon\nuser:daemon\nroot:root\n');
    await changed('chown', { path: `${path}/l`, user: 33, follow_symlinks: false });
    expect(await inside(`stat -c %u:%U ${path}/l; stat -c %u /etc/hostname`)).toBe(
      '33:www-data\n0\n',
    );
    await changed('chown', { path: `${path}/sub`, user: '1234' });
    expect(await inside(`stat -c %u ${path}/sub`)).toBe('1234\n');
    const unknown = faultOf(await post('chown', { path, user: 'nobody-here' }), 'invalid_request');
    expect(unknown).toMatchObject({ field: 'user' });
    faultOf(await post('chown', { path }), 'invalid_request');
    faultOf(await post('chown', { path, user: 65_536 }), 'invalid_request');
    faultOf(await post('chmod', { path, mode: '888' }), 'invalid_request');
    faultOf(await post('chmod', { path: '/proc', mode: '755' }), 'not_a_regular_file');
    faultOf(await post('chmod', { path: '/workspace/none', mode: '755' }), 'file_not_found');
  });

  test('names come from tables that the guest may have spoilt', async () => {
    await inside('cp /etc/passwd /tmp/passwd; rm /etc/passwd');
    const chown = { path: '/workspace', user: 'user' };
    faultOf(await post('chown', chown), 'invalid_request');
    await inside('ln -s /dev/zero /etc/passwd');
    faultOf(await post('chown', chown), 'invalid_request');
    await inside(
      "rm /etc/passwd; printf 'user:x:99999999999:1\\nuser:x\\n\\0\\377user::' > /etc/passwd",
    );
    faultOf(await post('chown', chown), 'invalid_request');
    await inside('truncate -s 20G /etc/passwd');
    faultOf(await post('chown', chown), 'invalid_request');
    await used.api.send('POST', `/v1/sandboxes/${box.id}/fs/move`, {
      body: JSON.stringify({ from: '/tmp/passwd', to: '/etc/passwd', overwrite: true }),
    });
    expect(await changed('chown', chown)).toBe(1);
  });

  test('symlink, touch, mkdir with a mode, and du', async () => {
    const path = '/workspace/made/link';
    expect(await entry('symlink', { path, target: '../ünï' })).toMatchObject({
      type: 'symlink',
      symlink_target: '../ünï',
      uid: 1000,
    });
    faultOf(await post('symlink', { path, target: 'x' }), 'already_exists');
    await entry('symlink', { path, target: '/etc', overwrite: true });
    expect(await inside(`readlink ${path}`)).toBe('/etc\n');
    const touched = { path: '/workspace/touched/file', mtime: '1700000000.123456789' };
    expect(await entry('touch', touched)).toMatchObject({
      size: 0,
      uid: 1000,
      mtime: 1_700_000_000,
    });
    expect(await inside(`stat -c %.Y ${touched.path}`)).toBe('1700000000.123456789\n');
    faultOf(await post('touch', { path: '/workspace/none', create: false }), 'file_not_found');
    await used.api.send('POST', `${filePath(box.id, '/mkdir', '/workspace/sticky')}&mode=1777`);
    expect(await inside('stat -c %a:%U /workspace/sticky')).toBe('1777:user\n');
    await inside(
      'mkdir -p /workspace/sum/sub; echo 12345 > /workspace/sum/a; ln /workspace/sum/a /workspace/sum/sub/b',
    );
    const usage = await used.api.send('GET', filePath(box.id, '/du', '/workspace/sum'));
    expect(diskUsageSchema.parse(json(usage, 200))).toMatchObject({
      path: '/workspace/sum',
      files: 2,
      directories: 1,
      size_bytes: 6,
    });
    expect(await used.api.stat(box.id, '/workspace/sum/a')).toMatchObject({
      etag: (await used.api.open(box.id, '/workspace/sum/a')).headers.etag,
    });
  });

  test('a copy that is under way lets others live, and ends when its client leaves', async () => {
    await inside(
      'mkdir /workspace/many; cd /workspace/many; for i in $(seq 3000); do echo $i > $i; done',
    );
    const copying = post('copy', { from: '/workspace/many', to: '/workspace/many-copy' });
    let slowestMs = 0;
    let done = false;
    void copying.finally(() => (done = true));
    while (!done) slowestMs = Math.max(slowestMs, (await used.api.statAnswer(box.id, '/etc')).ms);
    json(await copying, 200);
    expect(slowestMs).toBeLessThan(500);
    expect(await inside('ls /workspace/many-copy | wc -l')).toBe('3000\n');
    await expectNothingLeft(used, box.id);
  });
});
