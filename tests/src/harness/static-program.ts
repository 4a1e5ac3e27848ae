import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testRun } from './run-marker.ts';

const source = `
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

let program: Buffer | undefined;

/**
 * A program that needs nothing of its image: prints ids, directory and a variable of the
 * environment.
 */
export function staticProgram(): Buffer {
  if (program === undefined) {
    const file = join(testRun().tempDir, `static-program-${process.pid}`);
    writeFileSync(`${file}.c`, source);
    execFileSync('gcc', ['-static', '-Os', '-s', '-o', file, `${file}.c`]);
    program = readFileSync(file);
  }
  return program;
}
