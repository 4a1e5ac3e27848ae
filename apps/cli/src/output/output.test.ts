import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { printable, printableJson } from './printable.ts';
import { describeProgress, progressLine, whileWaiting } from './progress.ts';
import { shellWord } from './shell-word.ts';
import { formatTable } from './table.ts';
import { formatAge, formatBytes } from './units.ts';

test('JSON says the same, without a control character but the ends of its lines', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const json = printableJson({ value, text });
      expect(json).not.toMatch(/[\p{Cc}\u202A-\u202E]/u);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, text })));
    }),
  );
  expect(printableJson(['\u009B31m'], 2)).toBe('[\n  "\\u009b31m"\n]');
});

test('printable leaves no control character', () => {
  expect(printable('a\u001B[2Jb\nc\u009Bd\u202Ee')).toBe('a\\x1b[2Jb\\nc\\x9bd\\u202ee');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/\p{Cc}/u);
    }),
  );
});

test('shellWord is one word to a shell', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((each) => !each.includes('\0'));
  fc.assert(
    fc.property(text, (each) => {
      const out = execFileSync('sh', ['-c', `printf %s ${shellWord(each)}`]);
      expect(out.toString()).toBe(each);
    }),
    { numRuns: 30 },
  );
});

test('a table is as wide as its cells and ends without spaces', () => {
  expect(
    formatTable(
      ['A', 'LONG'],
      [
        ['xyz', '1'],
        ['é', ''],
      ],
    ),
  ).toBe('A    LONG\nxyz  1\né');
});

describe('units', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [10 * 1024, '10 KiB'],
    [1024 ** 3, '1.0 GiB'],
  ])('%i bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [-5, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_600_000, '1h'],
    [200_000_000, '2d'],
  ])('%i ms are %s', (ms, text) => expect(formatAge(ms)).toBe(text));
});

test('progress says how far, how fast and how long still', () => {
  const at = { bytes: 50 * 1024 ** 2, totalBytes: 100 * 1024 ** 2 };
  const moment = { elapsedMs: 2000, columns: 60 };
  const text = '50%  50 MiB of 100 MiB  25 MiB/s  2s left';
  expect(describeProgress('f', at, moment)).toBe(`f  [======     ]  ${text}`);
  expect(describeProgress('f', at, { ...moment, columns: 50 })).toBe(`f  ${text}`);
  expect(describeProgress('f', { bytes: at.bytes }, moment)).toBe('f  50 MiB  25 MiB/s');
  expect(describeProgress('d', { ...at, files: 1, totalFiles: 9 }, moment)).toBe(
    'd  50%  50 MiB of 100 MiB  1 of 9 files  25 MiB/s  2s left',
  );
  expect(describeProgress('d', { bytes: 0, files: 1 }, { elapsedMs: 0 })).toBe(
    'd  0 B  1 file  0 B/s',
  );
  expect(describeProgress('f', at, { ...moment, columns: 50, sinceBytes: 30 * 1024 ** 2 })).toBe(
    'f  50%  50 MiB of 100 MiB  10 MiB/s  5s left',
  );
  expect(describeProgress('f', at, { ...moment, waitedMs: 4200 })).toBe(
    'f  50%  50 MiB of 100 MiB  nothing for 4s, still trying',
  );
});

test('a line of progress fits, whatever the name and the width', () => {
  const counts = fc.record({
    bytes: fc.nat(),
    totalBytes: fc.option(fc.nat(), { nil: undefined }),
    files: fc.option(fc.nat(), { nil: undefined }),
  });
  const name = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(name, counts, fc.integer({ min: 20, max: 200 }), (label, progress, columns) => {
      const line = describeProgress(label, progress, { elapsedMs: 1500, columns });
      expect([...line].length).toBeLessThan(columns);
      expect(line).not.toMatch(/\p{Cc}/u);
    }),
  );
});

test('progress is drawn from one second on, on a terminal, and wiped', () => {
  vi.useFakeTimers();
  try {
    const lines = (isTTY: boolean, quiet: boolean) => {
      let shown = '';
      const terminal = { isTTY, columns: 70, write: (text: string) => (shown += text) };
      {
        using line = progressLine({ terminal, quiet });
        const onProgress = line.start('evil\u001B[2J name');
        onProgress?.({ bytes: 1 });
        vi.advanceTimersByTime(1500);
        onProgress?.({ bytes: 3 });
        onProgress?.({ bytes: 6 });
        vi.advanceTimersByTime(3500);
      }
      vi.advanceTimersByTime(5000);
      return shown;
    };
    const first = '\r\u001B[Kevil\\x1b[2J name  3 B  2 B/s';
    const stalled = '\r\u001B[Kevil\\x1b[2J name  6 B  nothing for 3s, still trying';
    expect(lines(true, false)).toBe(`${first}${stalled}\r\u001B[K`);
    expect(lines(true, true)).toBe('');
    expect(lines(false, false)).toBe('');
  } finally {
    vi.useRealTimers();
  }
});

test('a wait is told on a terminal from one second on, and wiped at its end', async () => {
  vi.useFakeTimers();
  try {
    for (const [isTTY, ms, expected] of [
      [true, 2500, '\r\u001B[Kwait  1s\r\u001B[Kwait  2s\r\u001B[K'],
      [true, 900, ''],
      [false, 2500, ''],
    ] as const) {
      let shown = '';
      const terminal = { isTTY, write: (text: string) => (shown += text) };
      const work = () => new Promise<number>((resolve) => setTimeout(() => resolve(7), ms));
      const waited = whileWaiting('wait', work, terminal);
      await vi.advanceTimersByTimeAsync(ms);
      expect(await waited).toBe(7);
      expect(shown).toBe(expected);
    }
  } finally {
    vi.useRealTimers();
  }
});
