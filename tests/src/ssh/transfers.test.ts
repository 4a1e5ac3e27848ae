import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { onEachIsolation, useDaemon, useSandbox, waitFor } from '../harness/index.ts';
import { type Ended, missingProgram, run, SshHome } from './ssh-home.ts';

const used = useDaemon();
const missing = missingProgram('ssh');
let home: SshHome;
beforeAll(async () => {
  if (missing !== undefined) return;
  home = await SshHome.open(used);
  await home.register(used);
});
afterAll(async () => home?.[Symbol.asyncDispose]());
beforeEach((context) => {
  if (missing !== undefined) context.skip(missing);
});

const well = ({ code, stderr, stdout }: Ended) => {
  expect([code, stderr]).toEqual([0, '']);
  return String(stdout);
};
const scp = (...args: string[]) => run('scp', ['-q', '-F', home.config, ...args]);

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

onEachIsolation(used, (isolation) => {
  const box = useSandbox(used, isolation, { env: { ODD: 'a b' } });
  const at = (path: string) => `${box.id}@sandport:${path}`;
  const inside = async (cmd: string) => (await used.api.exec(box.id, cmd)).stdout;

  test('scp carries files and directories both ways, in both of its protocols', async () => {
    const tree = home.path(`tree-${isolation}`);
    mkdirSync(`${tree}/deep/er`, { recursive: true });
    writeFileSync(`${tree}/deep/er/file`, randomBytes(300_000), { mode: 0o755 });
    writeFileSync(`${tree}/ünicode name`, 'ü');
    for (const [name, flags] of [
      ['sftp', ['-p', '-r']],
      ['legacy', ['-O', '-p', '-r']],
    ] as const) {
      well(await scp(...flags, tree, at(`up-${name}`)));
      expect(await inside(`stat -c '%a %U' up-${name}/deep/er/file`)).toBe('755 user\n');
      const back = home.path(`back-${isolation}-${name}`);
      well(await scp(...flags, at(`up-${name}`), back));
      well(await run('diff', ['-r', tree, back]));
    }
    well(await scp(at('~/up-sftp/ünicode\\ name'), home.path('tilde')));
    expect((await scp(at('none'), home.path('none'))).code).toBe(1);
    expect((await scp(home.path('tilde'), at('none/none/none'))).code).toBe(1);
  });

  test('sftp does what it does with other servers', async () => {
    const batch = [
      'mkdir work',
      `put ${home.config} work/config`,
      'rename work/config work/renamed',
      'ln -s renamed work/link',
      'ln work/renamed work/named',
      'chown -h 1000 work/link',
      'chmod 600 work/renamed',
      'ls -la work',
      'df -h work',
      `get work/link ${home.path(`got-${isolation}`)}`,
      'rm work/named',
      'rm work/link',
      '-rmdir work',
      '-rm work',
      'rm work/renamed',
      'rmdir work',
      'symlink /etc work2',
      'cd work2',
      'pwd',
      '-get nosuch',
    ].join('\n');
    const flags = ['-q', '-F', home.config, '-b', '-', `${box.id}@sandport`];
    const { stdout, stderr, code } = await run('sftp', flags, { stdin: `${batch}\n` });
    expect(code, stderr).toBe(0);
    const shown = String(stdout);
    expect(shown).toMatch(/-rw-------\s+1 1000\s+1000\s+\d+ .* renamed/);
    expect(shown).toMatch(/lrwxrwxrwx .* link/);
    expect(shown).toMatch(/-rw-------\s+1 1000\s+1000\s+\d+ .* named/);
    expect(shown).toContain('Remote working directory: /etc');
    expect(stderr).toContain('not found');
    const got = readFileSync(home.path(`got-${isolation}`), 'utf8');
    expect(got).toBe(readFileSync(home.config, 'utf8'));
  });

  test('rsync keeps directories the same, both ways', async (context) => {
    const without = missingProgram('rsync');
    if (without !== undefined) context.skip(without);
    const tree = home.path(`sync-${isolation}`);
    mkdirSync(`${tree}/a`, { recursive: true });
    for (let count = 0; count < 50; count++) writeFileSync(`${tree}/a/${count}`, `${count}`);
    const rsync = (...args: string[]) =>
      run('rsync', ['-a', '--delete', '-e', `ssh -F ${home.config}`, ...args]);
    well(await rsync(`${tree}/`, at('synced')));
    expect(await inside('ls synced/a | wc -l; touch synced/extra; rm synced/a/7')).toBe('50\n');
    well(await rsync(`${tree}/`, at('synced')));
    expect(await inside('ls synced; cat synced/a/7')).toBe('a\n7');
    await inside('echo changed > synced/a/8; rm synced/a/9');
    well(await rsync(at('synced/'), tree));
    expect(readFileSync(`${tree}/a/8`, 'utf8')).toBe('changed\n');
    expect(await readdir(`${tree}/a`)).toHaveLength(49);
  });

  test('sshfs mounts a sandbox', async (context) => {
    const without = missingProgram('sshfs');
    if (without !== undefined) context.skip(without);
    const point = home.path(`mount-${isolation}`);
    mkdirSync(point);
    const mounted = await run('sshfs', ['-F', home.config, at('/home/user'), point]);
    if (/fuse device not found|fuse: (mount failed|failed to open)/.test(mounted.stderr))
      context.skip(`FUSE does not work here: ${mounted.stderr.trim()}`);
    well(mounted);
    try {
      mkdirSync(`${point}/fused/d`, { recursive: true });
      writeFileSync(`${point}/fused/d/file`, 'hello');
      const shell = `cd ${point}/fused; mv d e; echo more >> e/file; truncate -s 8 e/file; ln -s e/file l; ln e/file h; chmod 640 l; cat l; ls`;
      expect(well(await run('sh', ['-c', shell]))).toBe('hellomore\nh\nl\n');
    } finally {
      await waitFor(async () => (await run('umount', [point])).code === 0, {
        timeoutMs: 20_000,
        what: 'the end of the mount',
      });
    }
    expect(await inside('cat fused/h; stat -c "%a %h" fused/e/file')).toBe('hellomor640 2\n');
  });
});

test('a file of 256 MiB arrives as it was, and the daemon does not grow with it', async () => {
  const isolation = used.daemon.isolations.at(-1) ?? 'container';
  const box = await used.api.create({ isolation });
  const file = home.path('large');
  const stream = createWriteStream(file);
  const block = randomBytes(1024 * 1024);
  for (let count = 0; count < 256; count++) {
    block.writeUInt32BE(count, 0);
    if (!stream.write(Buffer.from(block))) await once(stream, 'drain');
  }
  await finished(stream.end());
  const digest = await sha256(file);
  const residentMiB = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${used.daemon.pid}/status`, 'utf8'))?.[1]) /
    1024;
  await home.ssh(box.id, ['true']);
  const before = residentMiB();
  // With new keys all along the way, as any connection has them after a while.
  const carry = async (from: string, to: string) => {
    const flags = ['-v', '-F', home.config, '-o', 'RekeyLimit=16M'];
    const ended = await run('scp', [...flags, from, to]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr.match(/NEWKEYS sent/g)?.length).toBeGreaterThan(8);
  };
  await carry(file, `${box.id}@sandport:large`);
  expect((await used.api.exec(box.id, 'sha256sum < large')).stdout).toBe(`${digest}  -\n`);
  await carry(`${box.id}@sandport:large`, home.path('back'));
  expect(await sha256(home.path('back'))).toBe(digest);
  expect(residentMiB() - before).toBeLessThan(96);
}, 180_000);
