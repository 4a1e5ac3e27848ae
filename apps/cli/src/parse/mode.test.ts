import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { modeChange, octalMode } from './mode.ts';

describe('modeChange', () => {
  test.each([
    ['755', 0o600, false, 0o755],
    ['0644', 0o7777, true, 0o644],
    ['+x', 0o644, false, 0o755],
    ['u+x', 0o644, false, 0o744],
    ['go-rwx', 0o755, false, 0o700],
    ['a=r', 0o755, false, 0o444],
    ['u=rw,go=', 0o777, false, 0o600],
    ['ug+w,o-r', 0o444, false, 0o660],
    ['+X', 0o644, false, 0o644],
    ['+X', 0o644, true, 0o755],
    ['+X', 0o744, false, 0o755],
    ['u+s', 0o755, false, 0o4755],
    ['g+s', 0o755, true, 0o2755],
    ['+t', 0o777, true, 0o1777],
    ['u=rwx', 0o4644, false, 0o744],
  ] as const)('%s of %o (directory: %s) gives %o', (text, before, isDirectory, after) => {
    expect(modeChange(text)(before, isDirectory)).toBe(after);
  });

  test.each(['', 'x', 'u', 'u+q', '99', '77', '77777', '+x,', 'z+x'])('%j is refused', (text) => {
    expect(() => modeChange(text)).toThrow(InvalidArgumentError);
  });
});

test('octalMode takes octal digits only', () => {
  expect(octalMode('0700')).toBe(0o700);
  for (const text of ['', '8', '888', '0x1', '-755', '7 5']) {
    expect(() => octalMode(text)).toThrow(InvalidArgumentError);
  }
});
