import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testRun } from './run-marker.ts';

const showSource = `
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words) {
  char place[4096];
  const char *name = count > 1 ? words[1] : "PATH";
  const char *value = getenv(name);
  printf("%d:%d %s %s\\n", getuid(), getgid(), getcwd(place, sizeof place), value ? value : "-");
  return 0;
}
`;

const programs = new Map<string, Buffer>();

/**
 * A program that needs nothing of its image: compiled from `source`, or one that prints ids,
 * directory and a variable of the environment.
 */
export function staticProgram(source = showSource): Buffer {
  const made = programs.get(source);
  if (made !== undefined) return made;
  const file = join(testRun().tempDir, `static-program-${process.pid}-${programs.size}`);
  try {
    writeFileSync(`${file}.c`, source);
    execFileSync('gcc', ['-static', '-Os', '-s', '-o', file, `${file}.c`]);
    const program = readFileSync(file);
    programs.set(source, program);
    return program;
  } finally {
    rmSync(`${file}.c`, { force: true });
    rmSync(file, { force: true });
  }
}
