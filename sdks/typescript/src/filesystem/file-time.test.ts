import { lstatSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { millisecondsOf, parseTimeText, timeText, utimesSeconds } from './file-time.ts';

const times = fc.bigInt({ min: -1_000_000_000_000_000n, max: 4_000_000_000_000_000_000n });

describe('file times', () => {
  test('nanoseconds are kept as text', () => {
    fc.assert(fc.property(times, (ns) => parseTimeText(timeText(ns)) === ns));
  });

  test('a date and seconds are the same time', () => {
    const date = new Date('2024-02-29T12:00:00.123Z');
    expect(timeText(date)).toBe('1709208000.123');
    expect(timeText(1_709_208_000.123)).toBe('1709208000.123');
    expect(timeText(-1.5)).toBe('-1.5');
    expect(timeText(0n)).toBe('0');
    expect(() => timeText(new Date('none'))).toThrow(RangeError);
  });

  test('milliseconds are rounded down, before 1970 too', () => {
    expect(millisecondsOf(1_999_999n)).toBe(1);
    expect(millisecondsOf(-1n)).toBe(-1);
    expect(millisecondsOf(-1_000_000n)).toBe(-1);
  });

  test('a file gets the millisecond that it is given', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sandport-time-'));
    const path = join(directory, 'f');
    writeFileSync(path, '');
    const at = fc
      .bigInt({ min: 0n, max: 2_000_000_000_000n })
      .chain((ms) => fc.constantFrom(0n, 1n, 500_000n, 999_999n).map((ns) => ms * 1_000_000n + ns));
    fc.assert(
      fc.property(at, (ns) => {
        const seconds = utimesSeconds(ns);
        utimesSync(path, seconds, seconds);
        return millisecondsOf(lstatSync(path, { bigint: true }).mtimeNs) === millisecondsOf(ns);
      }),
      { numRuns: 3000 },
    );
    rmSync(directory, { recursive: true });
  });
});
