import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { removeTree } from '../rooted-fs/remove/remove-host-tree.ts';
import { makeDeepTree } from '../testing/deep-tree.ts';
import { type Scratch, notRoot, scratchOnDisk } from '../testing/scratch.ts';
import { copyLayer } from './copy-layer.ts';

let scratch: Scratch;
let from: string;
let to: string;

beforeEach(() => {
  scratch = scratchOnDisk();
  from = join(scratch.path, 'from');
  to = join(scratch.path, 'to');
  for (const each of [from, to]) mkdirSync(each);
});
afterEach(async () => {
  for (const name of ['from', 'to']) await removeTree(scratch.path, name);
  scratch[Symbol.dispose]();
});

const copy = (options: { idBase?: number; signal?: AbortSignal } = {}) =>
  copyLayer({ from, to, linksName: 'links', ...options });

/** Everything that can be said of a tree without its contents; times of symlinks too. */
const describer = `
import json, os, sys
top = os.fsencode(sys.argv[1])
found = {}
for place, directories, files in os.walk(top):
    for name in directories + files + [b'.']:
        path = os.path.join(place, name)
        s = os.lstat(path)
        isdir = os.path.isdir(path) and not os.path.islink(path)
        attributes = {n: os.getxattr(path, n, follow_symlinks=False).hex()
                      for n in sorted(os.listxattr(path, follow_symlinks=False))}
        found[os.path.relpath(path, top).hex()] = [
            s.st_mode, s.st_uid, s.st_gid, 0 if isdir else s.st_size, s.st_mtime_ns,
            0 if isdir else s.st_nlink, s.st_rdev, attributes,
            os.readlink(path).hex() if os.path.islink(path) else '']
print(json.dumps(found, sort_keys=True))
`;
const described = (directory: string): unknown =>
  JSON.parse(
    execFileSync('python3', ['-c', describer, directory], { maxBuffer: 64 << 20 }).toString(),
  );

const maker = `
import os, socket, sys
os.chdir(sys.argv[1])
os.mknod('whiteout', 0o020000, os.makedev(0, 0))
os.mknod('device', 0o060640, os.makedev(300, 70000))
os.mkfifo('fifo', 0o622)
s = socket.socket(socket.AF_UNIX); s.bind('socket')
os.mkdir('opaque'); os.setxattr('opaque', 'trusted.overlay.opaque', b'y')
os.mkdir('closed', 0o000); os.chown('closed', 7, 8)
os.mkdir('sticky'); os.chmod('sticky', 0o3777)
open('setuid', 'w').close(); os.chown('setuid', 1000, 1001); os.chmod('setuid', 0o6755)
open('attributes', 'w').write('x'); os.setxattr('attributes', 'user.note', bytes(range(256)))
os.setxattr('attributes', 'user.empty', b'')
os.setxattr('attributes', 'security.capability', bytes.fromhex('0100000202040000000000000000000000000000'))
for i in range(60): os.setxattr('opaque', 'user.%d' % i, b'v' * 30)
os.symlink('/etc/passwd', 'absolute'); os.lchown('absolute', 5, 6)
os.utime('absolute', ns=(1, 123456789123456789), follow_symlinks=False)
os.setxattr('absolute', 'trusted.overlay.origin', b'o', follow_symlinks=False)
os.symlink('../' * 40 + 'etc', 'upwards')
os.link('setuid', 'opaque/second'); os.link('whiteout', 'opaque/whiteout'); os.link('absolute', 'opaque/link')
open(b'\\xff\\xfe' + b'n' * 253, 'w').close()
open(b'new\\nline', 'w').close()
os.utime('setuid', ns=(1, -5000000001))
`;

describe.skipIf(notRoot !== undefined)('the copy of a layer', () => {
  test('has everything as it was', async () => {
    execFileSync('python3', ['-c', maker, from]);
    for (let index = 0; index < 300; index++)
      writeFileSync(join(from, 'opaque', `file ${index}`), 'x'.repeat(index * 700));
    await copy();
    expect(described(to)).toEqual(described(from));
    for (const index of [0, 1, 299])
      expect(readFileSync(join(to, 'opaque', `file ${index}`))).toEqual(
        readFileSync(join(from, 'opaque', `file ${index}`)),
      );
    expect(statSync(join(to, 'setuid')).ino).toBe(statSync(join(to, 'opaque/second')).ino);
    expect(readdirSync(scratch.path).toSorted()).toEqual(['from', 'to']);
  });

  test('gives owners their ids above a base', async () => {
    const idBase = 1_000_000;
    const script = `import os,sys; os.chdir(sys.argv[1])
for n, i in (('root', ${idBase}), ('user', ${idBase} + 1000), ('host', 7)):
    open(n, 'w').close(); os.chown(n, i, i)`;
    execFileSync('python3', ['-c', script, from]);
    await copy({ idBase });
    const owners = ['root', 'user', 'host'].map((name) => statSync(join(to, name)).uid);
    expect(owners).toEqual([0, 1000, 7]);
  });

  test('keeps holes, of a file larger than the disk too', async () => {
    writeFileSync(join(from, 'sparse'), '');
    truncateSync(join(from, 'sparse'), 2 ** 43);
    execFileSync('dd', [
      ...['if=/dev/zero', `of=${join(from, 'sparse')}`, 'bs=4096', 'count=1'],
      ...['seek=100000000', 'conv=notrunc', 'status=none'],
    ]);
    await copy();
    const { size, blocks } = statSync(join(to, 'sparse'));
    expect(size).toBe(2 ** 43);
    expect(blocks).toBeLessThan(2000);
  });

  test('goes to any depth with few descriptors', { timeout: 60_000 }, async () => {
    makeDeepTree(from, 'deep', 5000);
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, open())), 1);
    await copy();
    clearInterval(timer);
    const count = (directory: string) =>
      Number(execFileSync('sh', ['-c', 'find "$1" | wc -l', 'sh', directory]).toString());
    expect(count(to)).toBe(count(from));
    expect(most).toBeLessThan(before + 150);
    expect(open()).toBe(before);
  });

  test('takes more names of one file than a file can have', { timeout: 60_000 }, async () => {
    // Ext4 takes 65,000 names: the copy's helper name is one too many.
    const script = `import os,sys; os.chdir(sys.argv[1]); open('0', 'w').write('shared'); n = 1
try:
    while n < 66000: os.link('0', str(n)); n += 1
except OSError: pass
open('single', 'w').close(); os.link('single', 'double')`;
    execFileSync('python3', ['-c', script, from]);
    await copy();
    const names = readdirSync(to);
    expect(names.length).toBe(readdirSync(from).length);
    expect(new Set(names.map((name) => readFileSync(join(to, name), 'utf8')))).toEqual(
      new Set(['shared', '']),
    );
  });

  test('never follows what others put in the place of a name', { timeout: 60_000 }, async () => {
    const secret = join(scratch.path, 'secret');
    mkdirSync(secret);
    writeFileSync(join(secret, 'key'), 'SECRET');
    for (let index = 0; index < 30; index++) {
      mkdirSync(join(from, `d${index}`));
      for (let file = 0; file < 30; file++) writeFileSync(join(from, `d${index}`, 'key'), 'mine');
    }
    const aside = join(scratch.path, 'aside');
    mkdirSync(aside);
    let going = true;
    const swapping = (async () => {
      for (let round = 0; going; round++) {
        const name = `d${round % 30}`;
        renameSync(join(from, name), join(aside, name));
        symlinkSync(secret, join(from, name));
        await new Promise(setImmediate);
        rmSync(join(from, name));
        renameSync(join(aside, name), join(from, name));
        await new Promise(setImmediate);
      }
    })();
    for (let round = 0; round < 20; round++) {
      await copy();
      expect(execFileSync('sh', ['-c', 'grep -rl SECRET "$1" || true', 'sh', to]).toString()).toBe(
        '',
      );
      await removeTree(scratch.path, 'to');
      mkdirSync(to);
    }
    going = false;
    await swapping;
  });

  test('leaves out what vanishes, and takes files that others write to', async () => {
    for (let index = 0; index < 200; index++) {
      mkdirSync(join(from, `d${index}`));
      writeFileSync(join(from, `d${index}`, 'file'), 'x'.repeat(150_000));
    }
    writeFileSync(join(from, 'still'), 'there');
    let going = true;
    const meddling = (async () => {
      for (let index = 0; going; index = (index + 1) % 200) {
        const directory = join(from, `d${index}`);
        if (existsSync(directory)) {
          if (index % 3 === 0) rmSync(directory, { recursive: true });
          else if (index % 3 === 1) truncateSync(join(directory, 'file'), index);
          else if (!existsSync(join(directory, 'more')))
            linkSync(join(directory, 'file'), join(directory, 'more'));
        }
        await new Promise(setImmediate);
      }
    })();
    await copy();
    going = false;
    await meddling;
    expect(readFileSync(join(to, 'still'), 'utf8')).toBe('there');
  });

  test('stops when it is told to, with every descriptor closed', async () => {
    for (let index = 0; index < 2000; index++) writeFileSync(join(from, `${index}`), 'x');
    linkSync(join(from, '0'), join(from, 'link'));
    const before = readdirSync('/proc/self/fd').length;
    const controller = new AbortController();
    const copying = copy({ signal: controller.signal });
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(copying).rejects.toThrow('enough');
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    expect(readdirSync(scratch.path).toSorted()).toEqual(['from', 'to']);
  });
});
