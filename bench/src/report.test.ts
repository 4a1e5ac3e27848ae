import { expect, test } from 'vitest';
import { meetsBudget, renderTable } from './report.ts';
import { rowPage } from './row-page.ts';

test('compares with a share of the floor or with a plain number', () => {
  const write = { operation: 'write', value: 1.4, unit: 'ms', floor: 1 } as const;
  expect(meetsBudget({ ...write, budget: { of: 'floor', limit: 1.5 } })).toBe(true);
  expect(meetsBudget({ ...write, budget: { of: 'floor', limit: 1.3 } })).toBe(false);
  expect(meetsBudget({ ...write, budget: { of: 'value', limit: 1.4 } })).toBe(true);
  expect(meetsBudget(write)).toBeUndefined();
  const upload = { operation: 'upload', value: 700, unit: 'MiB/s', floor: 900 } as const;
  const budget = { of: 'floor', limit: 0.8 } as const;
  expect(meetsBudget({ ...upload, higherIsBetter: true, budget })).toBe(false);
});

test('prints one aligned line a measurement', () => {
  const table = renderTable([
    {
      operation: 'write 1 KiB',
      value: 0.5,
      unit: 'ms',
      floor: 0.4,
      budget: { of: 'floor', limit: 1.5 },
    },
    { operation: 'run `true`', value: 3, unit: 'ms', budget: { of: 'value', limit: 2 } },
  ]);
  const lines = table.split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^write 1 KiB +0\.50 ms +0\.40 ms +1\.25 +≤ 1\.5 × floor +ok$/);
  expect(lines[2]).toContain('MISSED');
});

test('makes a page of Markdown of a row', () => {
  const machine = { node: 'v20', cores: 2, cpu: 'a|b', loadBefore: 0.1 };
  const text = rowPage(
    'pipes',
    [{ operation: 'tar | tar', value: 12, unit: 'ms', budget: { of: 'value', limit: 15 } }],
    machine,
    '2026-01-02T03:04:05Z',
  );
  expect(text).toContain('`npm run bench -- pipes`');
  expect(text).toContain('2026-01-02, 2 cores (a|b), Node v20, load before 0.1.');
  expect(text).toContain('| tar \\| tar | 12.00 ms | — | — | ≤ 15 ms | ok |  |');
});
