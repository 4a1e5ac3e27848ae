import { z } from 'zod';
import { errorCodes } from '../error-table.ts';

const glob = z.string().min(1).max(1024);

/** What search and replace have in common. */
const selection = {
  path: z.string().describe('File, or directory that is searched with all below it.'),
  pattern: z.string().min(1).max(4096),
  regex: z
    .boolean()
    .optional()
    .describe('`pattern` is a regular expression in RE2 syntax; false: plain text.'),
  case_sensitive: z.boolean().optional().describe('true'),
  include: z
    .array(glob)
    .max(64)
    .optional()
    .describe('Globs, relative to `path`: only files that one of them matches.'),
  exclude: z.array(glob).max(64).optional().describe('Globs: files and directories to leave out.'),
  hidden: z.boolean().optional().describe('Also names that begin with a dot; true.'),
};

export const searchSchema = z.strictObject({
  ...selection,
  max_matches: z.int().min(1).max(10_000).optional().describe('1000'),
  context_lines: z.int().min(0).max(10).optional().describe('Lines before and after; 0.'),
});
export type Search = z.infer<typeof searchSchema>;

export const searchMatchSchema = z.object({
  path: z.string(),
  line: z.int().describe('From 1.'),
  column: z.int().describe('From 1, in characters.'),
  text: z.string().describe('The line, cut to 1,000 characters around the match.'),
  before: z.array(z.string()).optional(),
  after: z.array(z.string()).optional(),
});
export type SearchMatch = z.infer<typeof searchMatchSchema>;

export const searchResultSchema = z.object({
  matches: z.array(searchMatchSchema).describe('One a line that matches, in tree order.'),
  truncated: z.boolean().describe('True when `max_matches` or the time of 30 s was reached.'),
  files_searched: z.int(),
  files_skipped: z
    .object({ binary: z.int(), too_large: z.int(), unreadable: z.int() })
    .describe('Binary: a NUL byte, or not UTF-8. Too large: over 64 MiB.'),
});
export type SearchResult = z.infer<typeof searchResultSchema>;

export const replaceSchema = z.strictObject({
  ...selection,
  replacement: z
    .string()
    .max(65_536)
    .describe('With `regex`, `$1` and `${name}` stand for groups, `$$` for a dollar sign.'),
  dry_run: z.boolean().optional().describe('Only tell what would change; false.'),
});
export type Replace = z.infer<typeof replaceSchema>;

export const replaceResultSchema = z.object({
  files: z
    .array(
      z.object({
        path: z.string(),
        replacements: z.int(),
        error: z.string().optional().describe('Why this file was not changed.'),
        code: z.enum(errorCodes).optional(),
      }),
    )
    .describe('Files in which the pattern occurs; at most 10,000.'),
  files_changed: z.int(),
  replacements: z.int(),
  truncated: z.boolean().describe('True when not all files were looked at.'),
  files_skipped: z
    .object({ binary: z.int(), too_large: z.int(), unreadable: z.int() })
    .describe('Binary: a NUL byte, or not UTF-8. Too large: over 16 MiB.'),
});
export type ReplaceResult = z.infer<typeof replaceResultSchema>;
