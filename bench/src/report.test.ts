import { expect, test } from 'vitest';
import { meetsBudget, renderTable } from './report.ts';

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
