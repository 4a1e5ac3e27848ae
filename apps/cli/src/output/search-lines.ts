import type { SearchMatch } from 'sandport';
import { printable } from './printable.ts';

/**
 * Matches as grep prints them: `path:line:text`, lines around them with `-`, and `--` between
 * groups that do not touch. A line that belongs to several matches comes once.
 */
export function* searchLines(matches: readonly SearchMatch[]): Generator<string, void, undefined> {
  const withContext = matches.some(
    ({ before, after }) => before !== undefined || after !== undefined,
  );
  /** The last line that was printed. */
  let last = { path: '', line: 0 };
  for (const [index, { path, line, text, before = [], after = [] }] of matches.entries()) {
    const next = matches[index + 1];
    const nextLine = next?.path === path ? next.line : Number.POSITIVE_INFINITY;
    const from = line - before.length;
    const seen = last.path === path ? last.line : 0;
    if (withContext && last.line !== 0 && (seen === 0 || from > seen + 1)) yield '--';
    for (const [at, each] of before.entries()) {
      if (from + at > seen) yield row(path, from + at, each, '-');
    }
    yield row(path, line, text, ':');
    last = { path, line };
    for (const [at, each] of after.entries()) {
      const number = line + 1 + at;
      if (number >= nextLine) break;
      yield row(path, number, each, '-');
      last = { path, line: number };
    }
  }
}

/** Tabs of a line stay: they move a cursor within it only. */
const row = (path: string, line: number, text: string, mark: string) =>
  `${printable(path)}${mark}${line}${mark}${text.split('\t').map(printable).join('\t')}`;
