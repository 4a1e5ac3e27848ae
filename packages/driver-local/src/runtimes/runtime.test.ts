import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gvisorFlags } from './runtime.ts';
import { lastWords } from './start.ts';

test('gVisor of 2021 gets the options that it knows', () => {
  const help =
    '  -fsgofer-host-uds\n  -platform string\n    \tspecifies platform: ptrace (default), kvm.\n';
  expect(gvisorFlags(help)).toEqual([
    '--network=none',
    '--file-access=shared',
    '--platform=ptrace',
    '--fsgofer-host-uds',
  ]);
});

test('newer gVisor gets systrap and no overlay of its own', () => {
  const help =
    '  -host-uds value\n  -overlay2 value\n  -file-access-mounts value\n  -cpu-num-from-quota\n' +
    '  -platform string\n    \tspecifies which platform to use: systrap (default), ptrace, kvm.\n';
  expect(gvisorFlags(help)).toEqual([
    '--network=none',
    '--file-access=shared',
    '--platform=systrap',
    '--host-uds=open',
    '--overlay2=none',
    '--file-access-mounts=shared',
    '--cpu-num-from-quota',
  ]);
});

test.each([
  [
    'the last error',
    '{"level":"error","msg":"first"}\n{"level":"error","msg":"last \\"one\\""}\n',
    'last "one"',
  ],
  [
    'the fatal cause before the error',
    '{"level":"fatal","msg":"cause"}\n{"level":"error","msg":"x"}\n',
    'cause',
  ],
  ['a line that is no JSON', 'panic: oh no\n', 'panic: oh no'],
  ['nothing', '', undefined],
])('the last words of a runtime are %s', (_, log, words) => {
  const directory = mkdtempSync(join(tmpdir(), 'log-'));
  writeFileSync(join(directory, 'log'), log);
  expect(lastWords(join(directory, 'log'))).toBe(words);
  rmSync(directory, { recursive: true });
});
