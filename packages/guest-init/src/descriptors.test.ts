import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

/**
 * How the init closes descriptors where the kernel has no `close_range`, as gVisor: the source itself
 * with that system call masked and calls of `close` counted.
 */
const program = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#undef SYS_close_range
static int closes;
static int counted_close(int fd) { closes++; return close(fd); }
#define close counted_close
#include "descriptors.c"
#undef close
int main(int argc, char **argv) {
  struct rlimit files = {4000, 4000};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) return 1;
  if (argc > 1 && (chdir(argv[1]) != 0 || chroot(".") != 0)) return 1;
  for (int fd = 3; fd < 4000; fd += fd < 700 ? 1 : 301) dup2(0, fd);
  close_from(5);
  int open = 0;
  for (int fd = 0; fd < 4000; fd++) open += fcntl(fd, F_GETFD) >= 0;
  printf("%d left, %d closed\\n", open, closes);
}
`;

let folder = '';
let binary = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'descriptors-'));
  binary = path.join(folder, 'program');
  execFileSync('cc', ['-std=c11', '-x', 'c', '-I', native, '-o', binary, '-'], { input: program });
});
afterAll(() => rmSync(folder, { recursive: true }));

const native = fileURLToPath(new URL('../native/', import.meta.url));
const run = (...args: readonly string[]) => execFileSync(binary, args, { encoding: 'utf8' });

test('closes those that are open, not every number there can be', () => {
  // 3 and 4 stay. Beside those that were open, the list itself is closed, which is one of them.
  expect(run()).toBe('5 left, 707 closed\n');
});

test('tries every number where there is no list', (context) => {
  if (process.getuid?.() !== 0) context.skip('chroot needs root');
  expect(run(folder)).toBe('5 left, 3995 closed\n');
});
