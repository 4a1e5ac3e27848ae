import { SandportFault } from '@sandport/protocol';
import { RE2JS, RE2JSException } from 're2js';

export interface TextPatternOptions {
  readonly pattern: string;
  /** `pattern` is a regular expression in RE2 syntax. @default false: plain text */
  readonly regex?: boolean | undefined;
  /** @default true */
  readonly caseSensitive?: boolean | undefined;
}

/** What is looked for in lines: plain text, or a regular expression. */
export type TextPattern =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'expression';
      readonly expression: RE2JS;
      /** So much of a line is looked at, so that no line keeps the event loop for long. */
      readonly maxLineLength: number;
    };

/** So much of a line is looked at, in UTF-16 units. */
export const maxLineLength = 1024 * 1024;

/** Most instructions that an expression may compile to. */
const maxProgramSize = 10_000;
/** Limits the time that compiling takes: repeat counts, added up, times the length. */
const maxRepetition = 200_000;
/** Most steps that an expression takes over one line: its size times the line's length. */
const maxStepsOfLine = 10_000_000;

/** @throws SandportFault `invalid_pattern` */
export function compileTextPattern(options: TextPatternOptions): TextPattern {
  const { pattern, regex = false, caseSensitive = true } = options;
  if (!regex && caseSensitive) return { kind: 'text', text: pattern };
  if (pattern.includes('\n'))
    throw invalidPattern(pattern, 'lines are looked at one by one, and none holds a line break');
  if (regex && repetition(pattern) > maxRepetition)
    throw invalidPattern(pattern, 'it repeats too much');
  const expression = compile(pattern, regex, caseSensitive);
  const size = expression.programSize();
  if (size > maxProgramSize) throw invalidPattern(pattern, 'it is too large');
  const longest = Math.min(maxLineLength, Math.floor(maxStepsOfLine / size));
  return { kind: 'expression', expression, maxLineLength: longest };
}

/** Where the pattern first occurs in a line; undefined when it does not. */
export function findInLine(
  pattern: TextPattern,
  line: string,
): { readonly start: number; readonly end: number } | undefined {
  if (pattern.kind === 'text') {
    const start = line.indexOf(pattern.text);
    return start === -1 ? undefined : { start, end: start + pattern.text.length };
  }
  const text = line.length > pattern.maxLineLength ? line.slice(0, pattern.maxLineLength) : line;
  // The test takes one pass; only a line that matches is asked for the place.
  if (!pattern.expression.test(text)) return undefined;
  const matcher = pattern.expression.matcher(text);
  return matcher.find() ? { start: matcher.start(), end: matcher.end() } : undefined;
}

export function invalidPattern(pattern: string, reason: string): SandportFault {
  const shown = pattern.length > 200 ? `${pattern.slice(0, 200)}…` : pattern;
  return new SandportFault(
    'invalid_pattern',
    `The pattern ${JSON.stringify(shown)} cannot be used: ${reason}.`,
    { pattern: shown, reason },
  );
}

function compile(pattern: string, regex: boolean, caseSensitive: boolean): RE2JS {
  try {
    return RE2JS.compile(
      regex ? pattern : RE2JS.quote(pattern),
      caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE,
    );
  } catch (error) {
    if (error instanceof RE2JSException) throw invalidPattern(pattern, error.message);
    throw error;
  }
}

function repetition(pattern: string): number {
  const counts = [...pattern.matchAll(/\{(\d{1,4})(?:,(\d{1,4})?)?\}/g)];
  return pattern.length * counts.reduce((sum, [, min, max]) => sum + Number(max ?? min), 0);
}
