import type { SandboxFiles } from '@sandport/driver';
import type { GuestPath, Search, SearchMatch, SearchResult } from '@sandport/protocol';
import { MatchCollector } from './match-collector.ts';
import { type SelectedFile, selectFiles } from './select-files.ts';
import { LineCutter, NotTextError, textOf, withoutReturn } from './text-file.ts';
import {
  compileTextPattern,
  invalidPattern,
  maxLineLength,
  type TextPattern,
} from './text-pattern.ts';
import { WorkTime } from './work-time.ts';

/** Longer files are not searched. */
const maxFileBytes = 64 * 1024 * 1024;
/** The search ends with what it has found after so long, in milliseconds. */
export const searchLimitMs = 30_000;
/** Most text of an answer, in UTF-16 units. */
const maxAnswerLength = 16 * 1024 * 1024;
/** So many lines, or 256 times as much text, are looked at between two looks at the clock. */
const linesPerLook = 64;

/**
 * Lines that hold a text or match a regular expression, in the file at `path` or in all files
 * below it. Lines are looked at one by one, up to their first 1,048,576 characters (less with very
 * large expressions). Memory does not grow with the files.
 * @throws SandportFault `invalid_pattern`, `file_not_found`, …
 */
export async function searchFiles(
  files: SandboxFiles,
  path: GuestPath,
  search: Search,
  options: { readonly signal?: AbortSignal; readonly limitMs?: number } = {},
): Promise<SearchResult> {
  const { pattern, regex, case_sensitive: caseSensitive } = search;
  if (pattern.includes('\n')) throw invalidPattern(pattern, 'no line holds a line break');
  const textPattern = compileTextPattern({ pattern, regex, caseSensitive });
  const time = new WorkTime({ limitMs: searchLimitMs, ...options });
  const max = search.max_matches ?? 1000;
  const matches: SearchMatch[] = [];
  const skipped = { binary: 0, too_large: 0, unreadable: 0 };
  let searched = 0;
  let length = 0;
  let truncated = false;
  for await (const file of selectFiles(files, path, search, time)) {
    if (time.turnIsOver) await time.nextTurn();
    const found = await searchFile(file, textPattern, time, {
      max: max - matches.length,
      contextLines: search.context_lines ?? 0,
      maxLength: maxAnswerLength - length,
    });
    if (typeof found === 'string') {
      skipped[found] += 1;
      continue;
    }
    searched += 1;
    for (const match of found.matches) matches.push(match);
    length += found.length;
    truncated = found.isFull;
    if (truncated || time.isUp) break;
  }
  truncated ||= time.isUp;
  return { matches, truncated, files_searched: searched, files_skipped: skipped };
}

async function searchFile(
  selected: SelectedFile,
  pattern: TextPattern,
  time: WorkTime,
  limits: { max: number; contextLines: number; maxLength: number },
): Promise<MatchCollector | 'binary' | 'too_large' | 'unreadable'> {
  if (selected.sizeBytes > maxFileBytes) return 'too_large';
  const found = new MatchCollector(selected.path, pattern, limits);
  const cutter = new LineCutter(maxLineLength);
  try {
    const file = await selected.open();
    if (file === undefined) return 'unreadable';
    if (file.entry.size > maxFileBytes) {
      await file.close();
      return 'too_large';
    }
    for await (const piece of textOf(file, { ignoreBOM: false })) {
      let untilLook = linesPerLook;
      for (const line of cutter.push(piece)) {
        found.take(withoutReturn(line));
        if (found.isFull) return found;
        untilLook -= 1 + line.length / 256;
        if (untilLook > 0 || !time.turnIsOver) continue;
        if (time.isUp) return found;
        await time.nextTurn();
        untilLook = linesPerLook;
      }
      if (time.isUp) return found;
    }
    const last = cutter.end();
    if (last !== undefined) found.take(withoutReturn(last));
    return found;
  } catch (error) {
    // What goes wrong with one file, which the guest may be changing, does not end the search.
    return error instanceof NotTextError ? 'binary' : 'unreadable';
  }
}
