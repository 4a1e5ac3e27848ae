import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const LONGEST_NAME = 'n'.repeat(255);
export const DEEP = `/deep${'/d'.repeat(40)}`;

/** What a hostile guest may leave in its tree. `outside` is the canary's directory on the host. */
export function plantHostileTree(root: string, outside: string): void {
  const at = (path: string): string => join(root, path);
  const directories = [
    'etc',
    'home/user',
    'empty',
    'full/inner',
    'run/sandport',
    'sys/kernel',
    'proc',
    'dev',
    DEEP,
  ];
  for (const path of directories) mkdirSync(at(path), { recursive: true });
  const files: Record<string, string> = {
    'etc/passwd': 'inside passwd',
    'home/user/file.txt': 'user file',
    'full/inner/file': 'full file',
    'run/sandport/init.sock.txt': 'hidden file',
    'sys/kernel/notes': 'hidden notes',
    'sp ace': 'space',
    'new\nline': 'newline',
    ünï日本: 'unicode',
    'back\\slash': 'backslash',
    [LONGEST_NAME]: 'long name',
    '...': 'three dots',
    '%2e%2e': 'percent',
    '-rf': 'dash',
    'etc/with (deleted)': 'not deleted',
    [`${DEEP}/file`]: 'deep file',
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(at(path), text);
  writeFileSync(at('setuid'), 'setuid', { mode: 0o755 });
  chmodSync(at('setuid'), 0o4755);
  writeFileSync(at('locked'), 'locked', { mode: 0o000 });
  chmodSync(at('locked'), 0o000);
  const links: Record<string, string> = {
    'home/user/relative': 'file.txt',
    'home/user/absolute': '/etc/passwd',
    'home/user/up': '../../etc/passwd',
    'home/user/too-far-up': '../../../../../../../../etc/passwd',
    'out-file': join(outside, 'secret.txt'),
    'out-directory': outside,
    'out-relative': join(relative(root, outside), 'secret.txt'),
    'out-far': `${'../'.repeat(30)}${outside.slice(1)}/secret.txt`,
    'home/out-nested': join('..', relative(root, outside), 'sub'),
    'to-root': '/',
    'to-dotdot': '../..',
    'to-dot': '.',
    'to-etc': 'etc',
    'to-etc-slash': 'etc/',
    'to-file-slash': 'etc/passwd/',
    'loop-self': 'loop-self',
    'loop-a': 'loop-b',
    'loop-b': 'loop-a',
    'loop-inside': 'loop-inside/deeper',
    dangling: '/nowhere/at/all',
    'dangling-relative': 'nothing-here',
    'dangling-up': '../../../nothing-here',
    'dangling-slash': 'nothing-here/',
    'dangling-dotdot': 'missing/../etc/created',
    'magic-root': '/proc/self/root',
    'magic-passwd': '/proc/self/root/etc/passwd',
    'magic-cwd': '/proc/self/cwd',
    'magic-fd': '/proc/self/fd/0',
    'magic-one': '/proc/1/root/etc/passwd',
    'to-hidden': '/run/sandport/init.sock.txt',
    'to-dev-null': '/dev/null',
    'to-fifo': 'fifo',
    'name-loop': `${'to-dot/'.repeat(41)}etc/passwd`,
    'name-long-chain': `${'to-dot/'.repeat(30)}etc/passwd`,
  };
  for (const [path, target] of Object.entries(links)) symlinkSync(target, at(path));
  for (let index = 1; index <= 45; index++) {
    symlinkSync(index === 1 ? 'etc/passwd' : `chain-${index - 1}`, at(`chain-${index}`));
  }
}

/** Files that are not files; needs root. */
export function plantDevices(root: string): void {
  const make = (...args: string[]): void => {
    execFileSync('mknod', args, { cwd: root });
  };
  make('fifo', 'p');
  make('null', 'c', '1', '3');
  make('full-device', 'c', '1', '7');
  make('kernel-log', 'c', '1', '11');
  make('loop-device', 'b', '7', '0');
  make('dev/null', 'c', '1', '3');
  // A process that exits without closing its server leaves the socket behind.
  const server = "require('node:net').createServer().listen('socket', () => process.exit(0))";
  execFileSync(process.execPath, ['-e', server], { cwd: root });
}
