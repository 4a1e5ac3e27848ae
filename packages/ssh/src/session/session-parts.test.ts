import { expect, test } from 'vitest';
import { setVariable } from './environment.ts';
import { terminalSize } from './terminal-size.ts';

test('only variables of the language and the terminal are taken', () => {
  const environment = new Map<string, string>();
  for (const name of ['LANG', 'LC_ALL', 'TERM', 'COLORTERM'])
    expect(setVariable(environment, name, 'x')).toBe(true);
  for (const name of ['PATH', 'LD_PRELOAD', 'LC_', 'LC_all', 'BASH_ENV', 'XLANG', 'LANGX', ''])
    expect(setVariable(environment, name, 'x')).toBe(false);
  expect(setVariable(environment, 'LANG', 'x'.repeat(1_000))).toBe(false);
  expect(setVariable(environment, 'LANG', 'a\0b')).toBe(false);
  for (let count = 0; count < 100; count++)
    setVariable(environment, `LC_${'A'.repeat(1 + (count % 30))}`, 'x');
  expect(environment.size).toBeLessThanOrEqual(32);
});

test.each([
  [
    { cols: 100, rows: 30 },
    { columns: 100, rows: 30 },
  ],
  [
    { cols: 0, rows: 0 },
    { columns: 80, rows: 24 },
  ],
  [
    { cols: 1_000_000, rows: 4_294_967_295 },
    { columns: 65_535, rows: 65_535 },
  ],
])('a window of %o is one of %o', (told, size) => expect(terminalSize(told)).toEqual(size));
