import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runConfined, type RunConfinedOptions } from './run-confined.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'confined-'));
  mkdirSync(join(directory, 'work'));
  mkdirSync(join(directory, 'shown'));
  writeFileSync(join(directory, 'shown/file'), 'shown\n');
  writeFileSync(join(directory, 'hidden'), 'hidden\n');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Of all processes on the machine. */
const commandLines = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      } catch {
        // It has ended since.
        return '';
      }
    });

/** Runs a shell program; resolves to its output. */
async function confined(script: string, more: Partial<RunConfinedOptions> = {}): Promise<string> {
  const lines: string[] = [];
  await runConfined('sh', ['-c', script], {
    directory,
    paths: [
      { source: join(directory, 'work'), target: '/work', writable: true },
      { source: join(directory, 'shown'), target: '/deep/shown' },
    ],
    maxFileBytes: 2 ** 30,
    timeoutMs: 20_000,
    onLine: (line) => lines.push(line),
    ...more,
  });
  return lines.join('\n');
}

test('sees what it is shown and the programs of the machine, and nothing else', async () => {
  const found = await confined('ls / /etc /dev; cat /deep/shown/file; ls /proc | grep -c "^[0-9]"');
  expect(found).not.toMatch(/^(home|root|var|tmp|old|mnt|srv|shadow|vda|sda|kmsg)$/m);
  expect(found).toMatch(/^shown$/m);
  for (const path of [directory, '/etc/shadow', '/proc/1/root/etc/shadow', '/old'])
    await expect(confined(`ls ${path}`), path).rejects.toThrow('exit code');
});

test('knows no user but root', async () => {
  expect(await confined('cat /etc/passwd /etc/group')).toBe('root:x:0:0:root:/:/bin/sh\nroot:x:0:');
});

test('writes where it may, and nowhere else', async () => {
  await confined('echo made > /work/file; chown 5:6 /work/file; chmod 4755 /work/file');
  expect(readFileSync(join(directory, 'work/file'), 'utf8')).toBe('made\n');
  for (const path of [
    '/file',
    '/usr/bin/file',
    '/deep/shown/file',
    '/etc/x',
    '/proc/sys/vm/swappiness',
  ])
    await expect(confined(`echo x > ${path}`), path).rejects.toThrow('exit code');
  expect(readFileSync(join(directory, 'shown/file'), 'utf8')).toBe('shown\n');
});

test('has no rights beyond those over files', async () => {
  const tries = [
    'mount -t tmpfs none /work',
    'mount -o remount,rw /',
    'mknod /work/disk b 254 0 && cat /work/disk',
    'chroot /work /bin/true',
    'unshare --mount true',
    'setpriv --reuid 1000 true',
    'kill -9 $PPID',
  ];
  for (const each of tries) await expect(confined(each), each).rejects.toThrow(/exit code|SIG/);
  expect(await confined('grep NoNewPrivs /proc/self/status')).toMatch(/1$/);
});

test('has a network only when it is given one', async () => {
  const server = createServer((socket) => socket.end('hello\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const connect = `python3 -c "import socket; print(socket.create_connection(('127.0.0.1', ${port})).recv(9))"`;
  try {
    await expect(confined(connect)).rejects.toThrow('exit code');
    expect(await confined(connect, { network: true })).toContain('hello');
  } finally {
    server.close();
  }
});

test('ends with its time, with its signal, and above the largest file', async () => {
  await expect(confined('sleep 60', { timeoutMs: 300 })).rejects.toThrow('within 0.3 s');
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error('given up')), 300);
  const { signal } = abort;
  await expect(confined('sleep 61 & sleep 61', { signal })).rejects.toThrow('given up');
  expect(commandLines()).not.toContain('sleep 61');
  const large = 'yes | head -c 4M > /work/large';
  await expect(confined(`${large}; test $? = 0`, { maxFileBytes: 2 ** 20 })).rejects.toThrow();
  expect(readdirSync(directory).toSorted()).toEqual(['hidden', 'shown', 'work']);
});

test('ends before it fills the disk', async () => {
  const work = join(directory, 'work');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=560m', 'none', work]);
  try {
    const fill = confined('yes | head -c 200M > /work/large; sleep 60', { directory: work });
    await expect(fill).rejects.toMatchObject({ code: 'disk_full' });
  } finally {
    execFileSync('umount', [work]);
  }
});

test('sees layers as one tree', async () => {
  for (const [name, text] of [
    ['upper', 'new'],
    ['lower', 'old'],
  ] as const) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'file'), text);
    writeFileSync(join(directory, name, name), '');
  }
  const found = await confined('ls /merged; cat /merged/file; echo; touch /merged/x || echo no', {
    paths: [
      { source: join(directory, 'upper'), target: '/layers/upper' },
      { source: join(directory, 'lower'), target: '/layers/lower' },
    ],
    merged: { layers: ['/layers/upper', '/layers/lower'], target: '/merged' },
  });
  expect(found.split('\n').filter((line) => !line.startsWith('touch'))).toEqual([
    'file',
    'lower',
    'upper',
    'new',
    'no',
  ]);
});
