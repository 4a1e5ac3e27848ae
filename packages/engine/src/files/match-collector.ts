import type { SearchMatch } from '@sandport/protocol';
import { findInLine, type TextPattern } from './text-pattern.ts';

/** Most characters of a line in an answer. */
const shownLength = 1000;
/** So many of them stand before the match in a longer line. */
const shownBefore = 250;

export interface MatchLimits {
  /** Most matches. */
  readonly max: number;
  /** Lines before and after each match. */
  readonly contextLines: number;
  /** Most text in all, in UTF-16 units. */
  readonly maxLength: number;
}

/** Takes the lines of a file one by one and keeps those that match, with the lines around them. */
export class MatchCollector {
  readonly matches: SearchMatch[] = [];
  /** Length of all text that was kept. */
  length = 0;
  /** True when there was a match too many. */
  isFull = false;
  readonly #path: string;
  readonly #pattern: TextPattern;
  readonly #limits: MatchLimits;
  readonly #before: string[] = [];
  /** Matches whose lines after them have not all come, oldest first. */
  #waiting: { readonly after: string[] }[] = [];
  #line = 0;

  constructor(path: string, pattern: TextPattern, limits: MatchLimits) {
    this.#path = path;
    this.#pattern = pattern;
    this.#limits = limits;
  }

  take(line: string): void {
    this.#line += 1;
    const { contextLines, max, maxLength } = this.#limits;
    if (this.#waiting.length > 0) this.#addAfter(line);
    const place = findInLine(this.#pattern, line);
    if (place !== undefined) {
      if (this.matches.length >= max || this.length >= maxLength) {
        this.isFull = true;
        return;
      }
      this.#add(line, place.start);
    }
    if (contextLines === 0) return;
    this.#before.push(line);
    if (this.#before.length > contextLines) this.#before.shift();
  }

  #add(line: string, start: number): void {
    const text = this.#keep(line, line.length > shownLength ? Math.max(0, start - shownBefore) : 0);
    const match = { path: this.#path, line: this.#line, column: columnOf(line, start), text };
    if (this.#limits.contextLines === 0) {
      this.matches.push(match);
      return;
    }
    const after: string[] = [];
    this.matches.push({ ...match, before: this.#before.map((each) => this.#keep(each)), after });
    this.#waiting.push({ after });
  }

  #addAfter(line: string): void {
    const text = this.#keep(line);
    for (const { after } of this.#waiting) after.push(text);
    this.#waiting = this.#waiting.filter(({ after }) => after.length < this.#limits.contextLines);
  }

  /** A part of a line as a string of its own: a slice would keep all that was read in memory. */
  #keep(line: string, from = 0): string {
    const end = from + shownLength;
    const first = isLowSurrogate(line, from) ? from + 1 : from;
    const text = line.slice(first, isLowSurrogate(line, end) ? end - 1 : end);
    this.length += text.length;
    return Buffer.from(text, 'utf16le').toString('utf16le');
  }
}

/** From 1, in Unicode characters. */
function columnOf(line: string, start: number): number {
  let column = 1;
  for (let at = 0; at < start; at++) if (!isLowSurrogate(line, at)) column += 1;
  return column;
}

const isLowSurrogate = (text: string, at: number): boolean =>
  at < text.length && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
