import { describe, expect, test } from 'vitest';
import { MatchCollector } from './match-collector.ts';
import { LineCutter } from './text-file.ts';
import { compileTextPattern } from './text-pattern.ts';

const collect = (lines: readonly string[], pattern: string, limits = {}) => {
  const collector = new MatchCollector('/f', compileTextPattern({ pattern }), {
    max: 100,
    contextLines: 0,
    maxLength: 1_000_000,
    ...limits,
  });
  for (const line of lines) collector.take(line);
  return collector;
};

describe('matches', () => {
  test('columns count characters, not bytes or UTF-16 units', () => {
    const { matches } = collect(['😀é x'], 'x');
    expect(matches).toEqual([{ path: '/f', line: 1, column: 4, text: '😀é x' }]);
  });

  test('long lines are cut around the match, never within a character', () => {
    const { matches } = collect([`${'😀'.repeat(5_000)}needle${'😀'.repeat(5_000)}`], 'needle');
    const [match] = matches;
    expect(match?.column).toBe(5_001);
    expect(match?.text).toContain('needle');
    expect(match?.text.length).toBeLessThanOrEqual(1_000);
    expect(/\p{Surrogate}/u.test(match?.text ?? '')).toBe(false);
  });

  test('lines around overlap where matches are near each other', () => {
    const { matches } = collect(['1', '2', 'x3', 'x4', '5', '6', '7'], 'x', { contextLines: 2 });
    expect(matches.map(({ before, after }) => ({ before, after }))).toEqual([
      { before: ['1', '2'], after: ['x4', '5'] },
      { before: ['2', 'x3'], after: ['5', '6'] },
    ]);
  });

  test('a match or a character too many fills it', () => {
    expect(collect(['x', 'x'], 'x', { max: 2 }).isFull).toBe(false);
    expect(collect(['x', 'x', 'x'], 'x', { max: 2 })).toMatchObject({ isFull: true });
    const long = collect(['x'.repeat(900), 'x'.repeat(900), 'x'], 'x', { maxLength: 1_000 });
    expect([long.matches.length, long.isFull]).toEqual([2, true]);
  });
});

describe('cutting into lines', () => {
  test('ends of pieces do not matter', () => {
    const text = 'one\n\ntwo\r\nlast';
    for (let at = 0; at <= text.length; at++) {
      const cutter = new LineCutter(100);
      const lines = [...cutter.push(text.slice(0, at)), ...cutter.push(text.slice(at))];
      expect([...lines, cutter.end()]).toEqual(['one', '', 'two\r', 'last']);
    }
    const cutter = new LineCutter(100);
    expect(cutter.push('ended\n')).toEqual(['ended']);
    expect(cutter.end()).toBeUndefined();
  });

  test('a line that comes in many pieces is kept up to its limit', () => {
    const cutter = new LineCutter(10);
    for (let turn = 0; turn < 1_000; turn++) expect(cutter.push('abc')).toEqual([]);
    expect(cutter.push('\nnext')).toEqual(['abcabcabca']);
    expect(cutter.end()).toBe('next');
  });
});
