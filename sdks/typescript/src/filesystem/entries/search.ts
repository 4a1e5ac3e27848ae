import {
  type ErrorCode,
  replaceResultSchema,
  type SearchMatch,
  searchResultSchema,
} from '@sandport/protocol';
import { type FilesApi, guestPath } from '../files-api.ts';
import type { SignalOptions } from '../progress.ts';

/** Which files are looked at, and how. */
export interface SearchSelection extends SignalOptions {
  /** File, or directory that is searched with all below it. @default '/' */
  path?: string | undefined;
  /** The pattern is a regular expression in RE2 syntax. @default false: plain text */
  regex?: boolean | undefined;
  /** @default true */
  caseSensitive?: boolean | undefined;
  /** Globs relative to `path`: only files that one of them matches. */
  include?: readonly string[] | undefined;
  /** Globs: files and directories to leave out. */
  exclude?: readonly string[] | undefined;
  /** Also names that begin with a dot. @default true */
  hidden?: boolean | undefined;
}

export interface SearchOptions extends SearchSelection {
  /** At most 10,000. @default 1000 */
  maxMatches?: number | undefined;
  /** Lines before and after each match. @default 0 */
  contextLines?: number | undefined;
}

export interface ReplaceOptions extends SearchSelection {
  /** Only tell what would change. @default false */
  dryRun?: boolean | undefined;
}

/** Files that were not looked into. */
export interface SkippedFiles {
  /** They hold a NUL byte or are not UTF-8. */
  readonly binary: number;
  readonly tooLarge: number;
  readonly unreadable: number;
}

export interface SearchResult {
  /** One a line that matches, in tree order. */
  readonly matches: readonly SearchMatch[];
  /** True when `maxMatches` or the daemon's time for a search was reached. */
  readonly truncated: boolean;
  readonly filesSearched: number;
  readonly filesSkipped: SkippedFiles;
}

export interface ReplacedFile {
  readonly path: string;
  readonly replacements: number;
  /** Why this file was not changed. */
  readonly error?: string | undefined;
  readonly code?: ErrorCode | undefined;
}

export interface ReplaceResult {
  /** Files in which the pattern occurs; at most 10,000. */
  readonly files: readonly ReplacedFile[];
  readonly filesChanged: number;
  readonly replacements: number;
  /** True when not all files were looked at. */
  readonly truncated: boolean;
  readonly filesSkipped: SkippedFiles;
}

export async function search(
  api: FilesApi,
  pattern: string,
  options: SearchOptions,
): Promise<SearchResult> {
  const body = {
    ...selection(pattern, options),
    max_matches: options.maxMatches,
    context_lines: options.contextLines,
  };
  const { matches, truncated, files_searched, files_skipped } = await api.post(
    '/search',
    body,
    searchResultSchema,
    options,
  );
  return {
    matches,
    truncated,
    filesSearched: files_searched,
    filesSkipped: skippedFiles(files_skipped),
  };
}

export async function replace(
  api: FilesApi,
  pattern: string,
  replacement: string,
  options: ReplaceOptions,
): Promise<ReplaceResult> {
  const body = { ...selection(pattern, options), replacement, dry_run: options.dryRun };
  const { files_changed, files_skipped, ...same } = await api.post(
    '/replace',
    body,
    replaceResultSchema,
    options,
  );
  return { ...same, filesChanged: files_changed, filesSkipped: skippedFiles(files_skipped) };
}

function selection(pattern: string, options: SearchSelection) {
  const { path = '/', regex, caseSensitive, include, exclude, hidden } = options;
  return {
    path: guestPath(path),
    pattern,
    regex,
    case_sensitive: caseSensitive,
    include,
    exclude,
    hidden,
  };
}

const skippedFiles = (counts: { binary: number; too_large: number; unreadable: number }) => ({
  binary: counts.binary,
  tooLarge: counts.too_large,
  unreadable: counts.unreadable,
});
