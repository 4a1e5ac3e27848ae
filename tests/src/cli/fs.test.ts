import { expect, test } from 'vitest';
import { onEachIsolation, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { runSandport, type SandportOptions } from './run-sandport.ts';

const used = useDaemon();

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation);
  const at = (path: string) => `${box.id}:${path}`;
  const fs = async (args: readonly string[], options: SandportOptions = {}) => {
    const { stdout, ...rest } = await runSandport(used, ['fs', ...args], options);
    return { stdout: stdout.toString(), ...rest };
  };
  const inside = (line: string) => used.api.asRoot(box.id, line);
  const lines = (text: string) => text.trimEnd().split('\n');
  const done = { stdout: '', stderr: '', exitCode: 0 };

  test('mkdir, touch, ln, ls, stat, cat', async () => {
    expect(await fs(['mkdir', '-m', '700', at('/workspace/v/private')])).toEqual(done);
    expect(await inside('stat -c %a /workspace/v/private')).toBe('700\n');
    expect(await fs(['touch', '-d', '1700000000', at('/workspace/v/stamp')])).toEqual(done);
    expect(await inside('stat -c %Y /workspace/v/stamp')).toBe('1700000000\n');
    const untouched = await fs(['touch', '--no-create', at('/workspace/v/none')]);
    expect(untouched.exitCode).toBe(3);
    expect(await fs(['ln', '-s', 'stamp', at('/workspace/v/link')])).toEqual(done);
    expect((await fs(['ln', 'private', at('/workspace/v/link')])).exitCode).toBe(1);
    expect(await fs(['ln', '-sf', 'private', at('/workspace/v/link')])).toEqual(done);

    await inside('printf hello > /workspace/v/private/f; touch /workspace/v/.dot');
    const listed = await fs(['ls', at('/workspace/v')]);
    expect(lines(listed.stdout).map((line) => line.replace(/.*:\d\d {2}/, ''))).toEqual([
      '.dot',
      'link -> private',
      'private',
      'stamp',
    ]);
    expect(listed.stdout).toMatch(/^drwx------ +1000 +1000 .* private$/m);
    const deep = await fs([
      'ls',
      '-R',
      '--bytes',
      '--no-hidden',
      '--type',
      'f',
      at('/workspace/v'),
    ]);
    expect(deep.stdout).toMatch(/ 5 {2}\S+ \S+ {2}private\/f\n.* stamp\n$/);
    expect((await fs(['ls', at('/workspace/v/private/f')])).stdout).toMatch(/ f\n$/);
    const json = lines(
      (await fs(['ls', '--json', '-R', '--glob', '*f', at('/workspace/v')])).stdout,
    );
    expect(json.map((line) => JSON.parse(line))).toMatchObject([
      { name: 'f', path: '/workspace/v/private/f', type: 'file', size: 5, is_dir: false },
    ]);
    const sums = await fs(['ls', '--checksum', at('/workspace/v/private')]);
    expect(sums.stdout).toMatch(
      /^2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 {2}-rw/,
    );

    expect((await fs(['stat', at('/workspace/v/link')])).stdout).toMatch(/^type: +directory$/m);
    const link = await fs(['stat', '--no-follow', '--json', at('/workspace/v/link')]);
    expect(JSON.parse(link.stdout)).toMatchObject({ type: 'symlink', symlink_target: 'private' });

    const cat = await fs([
      'cat',
      at('/workspace/v/private/f'),
      at('/none'),
      at('/workspace/v/private/f'),
    ]);
    expect(cat).toMatchObject({ stdout: 'hellohello', exitCode: 3 });
    expect(cat.stderr).toContain('/none');
  });

  test('mv, cp, rm', async () => {
    await inside(
      'mkdir -p /workspace/m/dir && cd /workspace/m && echo a > a && echo b > b && ln -s a l',
    );
    expect(await fs(['mv', at('/workspace/m/a'), at('/workspace/m/c')])).toEqual(done);
    expect(
      await fs(['mv', at('/workspace/m/b'), at('/workspace/m/c'), at('/workspace/m/dir')]),
    ).toEqual(done);
    expect(await fs(['mv', at('/workspace/m/l'), at('/workspace/m/dir/')])).toEqual(done);
    expect(await inside('cd /workspace/m && find . | sort')).toBe(
      '.\n./dir\n./dir/b\n./dir/c\n./dir/l\n',
    );
    expect(await fs(['cp', '-r', at('/workspace/m/dir'), at('/workspace/m/copy')])).toEqual(done);
    expect(await fs(['cp', at('/workspace/m/dir/b'), at('/workspace/m/copy/c')])).toEqual(done);
    expect(await inside('cd /workspace/m/copy && cat b c; readlink l')).toBe('b\nb\na\n');
    const kept = await fs(['cp', '-n', at('/workspace/m/dir/c'), at('/workspace/m/copy/c')]);
    expect(kept.exitCode).toBe(1);

    const refused = await fs(['rm', at('/workspace/m/dir')]);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('-r') });
    expect(await fs(['rm', '-r', at('/workspace/m/dir'), at('/workspace/m/copy/b')])).toEqual(done);
    expect((await fs(['rm', at('/workspace/m/dir')])).exitCode).toBe(3);
    expect(await fs(['rm', '-f', at('/workspace/m/dir')])).toEqual(done);
    expect(await inside('ls /workspace/m /workspace/m/copy')).toBe(
      '/workspace/m:\ncopy\n\n/workspace/m/copy:\nc\nl\n',
    );
  });

  test('chmod, chown, du', async () => {
    await inside(
      'mkdir -p /workspace/o/d && printf 12345 > /workspace/o/d/f && chmod 644 /workspace/o/d/f',
    );
    expect(await fs(['chmod', 'u+x', at('/workspace/o/d/f')])).toEqual(done);
    expect(await inside('stat -c %a /workspace/o/d/f')).toBe('744\n');
    expect(await fs(['chmod', '-R', '700', at('/workspace/o')])).toEqual(done);
    expect(await inside('stat -c %a /workspace/o/d /workspace/o/d/f')).toBe('700\n700\n');
    const rubbish = await fs(['chmod', 'rubbish', at('/workspace/o')]);
    expect(rubbish).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('u+rw') });
    expect(await fs(['chown', '-R', 'user:user', at('/workspace/o')])).toEqual(done);
    expect(await inside('stat -c %U:%G /workspace/o/d/f')).toBe('user:user\n');
    expect(await fs(['chown', ':0', at('/workspace/o/d/f')])).toEqual(done);
    expect(await inside('stat -c %U:%g /workspace/o/d/f')).toBe('user:0\n');

    const du = await fs(['du', at('/workspace/o')]);
    expect(du.stdout).toMatch(
      /^SIZE +DISK +FILES +DIRECTORIES +PATH\n5 B .* 1 +1 +\/workspace\/o\n$/,
    );
    const json: unknown = JSON.parse((await fs(['du', '--json', at('/workspace/o')])).stdout);
    expect(json).toMatchObject([{ files: 1, directories: 1, size_bytes: 5 }]);
  });

  test('find, grep, replace', async () => {
    await inside(
      "mkdir -p /workspace/s/sub && cd /workspace/s && printf 'one\\nTODO two\\nthree\\n' > a.py && printf 'todo\\n' > sub/b.txt && printf 'TODO\\0' > sub/binary && touch .hid.py",
    );
    const found = await fs(['find', at('/workspace/s'), '*.py']);
    expect(found.stdout).toBe('/workspace/s/.hid.py\n/workspace/s/a.py\n');
    const null0 = await fs([
      'find',
      '-0',
      '--no-hidden',
      '--type',
      'f',
      at('/workspace/s'),
      'sub/*',
    ]);
    expect(null0.stdout).toBe('/workspace/s/sub/b.txt\0/workspace/s/sub/binary\0');

    const grep = await fs(['grep', 'TODO', at('/workspace/s')]);
    expect(grep).toEqual({ stdout: '/workspace/s/a.py:2:TODO two\n', stderr: '', exitCode: 0 });
    const more = await fs(['grep', '-E', '-i', '-l', '^to[dt]o', at('/workspace/s')]);
    expect(more.stdout).toBe('/workspace/s/a.py\n/workspace/s/sub/b.txt\n');
    const around = await fs(['grep', '-C', '1', '--include', '*.py', 'TODO', at('/workspace/s')]);
    expect(around.stdout).toBe(
      '/workspace/s/a.py-1-one\n/workspace/s/a.py:2:TODO two\n/workspace/s/a.py-3-three\n',
    );
    expect(await fs(['grep', 'nowhere', at('/workspace/s')])).toEqual({ ...done, exitCode: 1 });
    expect((await fs(['grep', '-E', '(', at('/workspace/s')])).stderr).toContain('sandport:');
    const json = JSON.parse((await fs(['grep', '--json', 'three', at('/workspace/s')])).stdout);
    expect(json).toMatchObject({ path: '/workspace/s/a.py', line: 3, column: 1, text: 'three' });

    const dry = await fs(['replace', '--dry-run', '-i', 'todo', 'DONE', at('/workspace/s')]);
    expect(dry).toMatchObject({
      stdout: '/workspace/s/a.py: 1\n/workspace/s/sub/b.txt: 1\n',
      stderr: '2 places in 2 files would change\n',
    });
    expect(await inside('cat /workspace/s/sub/b.txt')).toBe('todo\n');
    const replaced = await fs(['replace', '-E', '(t)odo', '$1hing', at('/workspace/s/sub/b.txt')]);
    expect(replaced.exitCode).toBe(0);
    expect(await inside('cat /workspace/s/sub/b.txt')).toBe('thing\n');
  });

  test('watch', async () => {
    await inside('mkdir -p /workspace/w');
    let change = 0;
    const ran = await fs(['watch', '--json', at('/workspace/w')], {
      interrupt: async (output) => {
        // Once a change is told of, the watch has begun; from then on each is.
        const begun = async () => {
          await inside(`echo x > /workspace/w/f${(change += 1)}`);
          return output().includes('/workspace/w/f');
        };
        await waitFor(begun, { timeoutMs: 30_000, intervalMs: 100, what: 'a change' });
        await inside('echo x > /workspace/w/last');
        await waitFor(() => output().includes('"/workspace/w/last"'), { what: 'the last change' });
      },
    });
    expect(ran.exitCode).toBe(130);
    const told = lines(ran.stdout).map((line) => JSON.parse(line));
    expect(told).toContainEqual(expect.objectContaining({ path: `/workspace/w/f${change}` }));
    expect(told.at(-1)).toMatchObject({ path: '/workspace/w/last' });
  });

  test('links', async () => {
    await inside('printf linked > /workspace/linked');
    const url = (await fs(['link', 'create', at('/workspace/linked')])).stdout.trim();
    expect(await (await fetch(url)).text()).toBe('linked');
    const upload = await fs([
      ...['link', 'create', '--upload', '--expires', '5m', '--max-bytes', '1k', '--json'],
      at('/workspace/put'),
    ]);
    const link = JSON.parse(upload.stdout);
    expect(link).toMatchObject({ method: 'PUT', max_bytes: 1024, path: '/workspace/put' });
    expect((await fetch(link.url, { method: 'PUT', body: 'put' })).status).toBe(200);
    expect(await inside('cat /workspace/put')).toBe('put');
    const listed = await fs(['link', 'ls', box.id]);
    expect(listed.stdout).toMatch(
      new RegExp(`^${link.id} +PUT +/workspace/put +1.0 KiB +4m$`, 'm'),
    );
    expect(await fs(['link', 'revoke', box.id, link.id])).toEqual({
      ...done,
      stdout: `${link.id}\n`,
    });
    expect((await fetch(link.url, { method: 'PUT', body: 'x' })).status).toBe(404);
    expect((await fs(['link', 'revoke', box.id, link.id])).exitCode).toBe(3);
  });

  test('names that would command a terminal do nothing', async () => {
    const evil = '\u001B]0;owned\u0007\u009B31m\r\nfake';
    await used.api.write(box.id, `/workspace/t/${evil}`, `TODO ${evil}\n`);
    await fs(['ln', evil, at('/workspace/t/link')]);
    const outputs = [
      await fs(['ls', at('/workspace/t')]),
      await fs(['ls', '-R', at('/workspace')]),
      await fs(['find', at('/workspace/t')]),
      await fs(['grep', 'TODO', at('/workspace/t')]),
      await fs(['stat', '--no-follow', at('/workspace/t/link')]),
      await fs(['du', at(`/workspace/t/${evil}`)]),
      await fs(['stat', at(`/workspace/t/${evil}/x`)]),
      await fs(['replace', '-n', 'TODO', 'x', at('/workspace/t')]),
    ];
    const diff = await runSandport(used, ['diff', box.id, '/workspace/t']);
    outputs.push({ ...diff, stdout: diff.stdout.toString() });
    for (const { stdout, stderr } of outputs) {
      expect(`${stdout}${stderr}`).toContain('owned');
      expect(`${stdout}${stderr}`.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    }
    const json = lines((await fs(['find', '--json', at('/workspace/t'), '*fake'])).stdout);
    expect(json.map((line) => JSON.parse(line).path)).toEqual([`/workspace/t/${evil}`]);
  });

  test('wrong usage is told with the way out', async () => {
    for (const [args, exitCode, named] of [
      [['cat', '/etc/passwd'], 2, 'BOX:/etc/passwd'],
      [['cat', box.id], 2, `${box.id}:/path`],
      [['rm', at('/etc')], 2, '-r'],
      [['rm', '-r', at('/')], 1, '/'],
      [['ls', 'no-such-box:/'], 3, 'no-such-box'],
      [['ls', at('/none')], 3, '/none'],
      [['mv', at('/a')], 2, 'SOURCE'],
      [['mv', at('/none'), at('/b')], 3, '/none'],
      [['chown', ':', at('/etc')], 2, 'USER'],
      [['find', at('/etc'), '['], 1, 'glob'],
    ] as const) {
      const ran = await fs(args);
      expect([args, ran.exitCode, ran.stdout]).toEqual([args, exitCode, '']);
      expect(ran.stderr).toContain(named);
      expect(ran.stderr).not.toContain('    at ');
    }
  });
});
