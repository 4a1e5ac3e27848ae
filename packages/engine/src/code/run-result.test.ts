import { maxCodeOutputBytes } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { OutputBound, RunResult } from './run-result.ts';

const end = { exit: 0, duration_ms: 1 };

test('text is cut at the limit, both streams together', () => {
  const bound = new OutputBound();
  const result = new RunResult();
  const half = Buffer.alloc(maxCodeOutputBytes / 2 + 1, 'x');
  for (const type of ['stdout', 'stderr', 'stdout'] as const) {
    const passed = bound.cut({ type, bytes: half });
    if (passed !== undefined) result.add(passed);
  }
  const { stdout, stderr } = result.with(end);
  expect(stdout.length + stderr.length).toBe(maxCodeOutputBytes);
  expect(stdout.length).toBe(half.length);
  expect(bound.truncated).toBe(true);
});

test('results beyond the limit are left out whole, however small they are', () => {
  const bound = new OutputBound();
  const large = { 'text/plain': 'x'.repeat(maxCodeOutputBytes) };
  const small = { 'text/plain': '' };
  expect(bound.cut({ type: 'result', data: large, leftOut: [] })).toBeUndefined();
  expect(bound.truncated).toBe(true);
  let passed = 0;
  while (bound.cut({ type: 'result', data: small, leftOut: [] }) !== undefined) passed += 1;
  expect(passed).toBeLessThan(50_000);
});

test('one error passes, without a traceback that is too long; what was left out is told', () => {
  const bound = new OutputBound();
  const error = { name: 'E', value: '', traceback: ['x'] };
  expect(bound.cut({ type: 'error', error })).toEqual({ type: 'error', error });
  expect(bound.cut({ type: 'error', error })).toBeUndefined();
  expect(bound.truncated).toBe(false);
  expect(bound.cut({ type: 'result', data: {}, leftOut: ['image/png'] })).toBeUndefined();
  expect(bound.truncated).toBe(true);
  const long = { ...error, traceback: Array.from({ length: 200 }, () => 'x'.repeat(10_000)) };
  const passed = new OutputBound().cut({ type: 'error', error: long });
  expect(passed).toEqual({ type: 'error', error: { ...error, traceback: [] } });
});
