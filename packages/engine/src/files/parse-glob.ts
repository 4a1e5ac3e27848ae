import { SandportFault } from '@sandport/protocol';

/** `*`, `/`, or a regular expression for one character that is not a slash. */
export type GlobPiece = 'star' | 'slash' | (string & {});

export interface ParsedGlob {
  /** What the pattern stands for, with its braces written out. */
  readonly alternatives: readonly (readonly GlobPiece[])[];
  readonly hasSlash: boolean;
}

/** Most pieces that a pattern may have when its braces are written out. */
const maxPieces = 4096;
/** Most pieces of all patterns of a list. */
const maxTotalPieces = 16_384;
/** How deep braces may lie in braces. */
const maxNesting = 16;

/**
 * Reads a glob and writes its braces out.
 * @throws SandportFault `invalid_pattern` naming the place
 */
export function parseGlob(pattern: string): ParsedGlob {
  const alternatives = new GlobParser(pattern).parse().map(trimSlashes);
  return {
    alternatives: alternatives.map(({ pieces }) => pieces),
    hasSlash: alternatives.some(({ pieces, tied }) => tied || pieces.includes('slash')),
  };
}

/** Bounds the time that a list of patterns takes. @throws SandportFault `invalid_pattern` */
export function checkTotalSize(globs: readonly ParsedGlob[]): void {
  const total = globs.reduce((sum, { alternatives }) => sum + sizeOf(alternatives), 0);
  if (total <= maxTotalPieces) return;
  const reason = 'together they stand for too many patterns';
  throw new SandportFault('invalid_pattern', `The globs cannot be used: ${reason}.`, { reason });
}

/** Pieces, and one for each sequence: those of nothing count, too. */
const sizeOf = (sequences: readonly (readonly GlobPiece[])[]): number =>
  sequences.reduce((sum, { length }) => sum + length, sequences.length);

/** Leaves out slashes at both ends; one at the beginning ties the pattern to the start. */
function trimSlashes(pieces: readonly GlobPiece[]): { pieces: GlobPiece[]; tied: boolean } {
  const tied = pieces[0] === 'slash';
  const inner = pieces.slice(tied ? 1 : 0);
  if (inner.at(-1) === 'slash') inner.pop();
  return { pieces: inner, tied };
}

class GlobParser {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = [...pattern];
    if (pattern === '') throw this.#refuse('it is empty');
    if (this.#characters.length > maxPieces) throw this.#refuse('it is too long');
    if (/\p{Surrogate}/u.test(pattern)) throw this.#refuse('it is not valid Unicode');
  }

  parse(): GlobPiece[][] {
    return this.#sequences(0);
  }

  /** All that a sequence can be; in braces up to the comma or brace that ends it. */
  #sequences(nesting: number): GlobPiece[][] {
    let sequences: GlobPiece[][] = [[]];
    while (this.#at < this.#characters.length) {
      const character = this.#characters[this.#at];
      if (nesting > 0 && (character === ',' || character === '}')) break;
      if (character === '{') {
        const alternatives = this.#braces(nesting + 1);
        this.#checkSize(sequences, alternatives);
        sequences = sequences.flatMap((head) => alternatives.map((tail) => [...head, ...tail]));
      } else {
        const piece = this.#piece();
        this.#checkSize(sequences, [[piece]]);
        for (const sequence of sequences) sequence.push(piece);
      }
    }
    return sequences;
  }

  #braces(nesting: number): GlobPiece[][] {
    const start = this.#at;
    if (nesting > maxNesting) throw this.#refuse(`braces lie more than ${maxNesting} deep`, start);
    const alternatives: GlobPiece[][] = [];
    do {
      this.#at++;
      for (const each of this.#sequences(nesting)) alternatives.push(each);
    } while (this.#characters[this.#at] === ',');
    if (this.#characters[this.#at] !== '}') throw this.#refuse('"{" has no "}"', start);
    this.#at++;
    return alternatives;
  }

  #checkSize(heads: readonly GlobPiece[][], tails: readonly GlobPiece[][]): void {
    if (sizeOf(heads) * tails.length + sizeOf(tails) * heads.length > maxPieces)
      throw this.#refuse('its braces stand for too many patterns');
  }

  #piece(): GlobPiece {
    const start = this.#at;
    const character = this.#characters[this.#at++] ?? '';
    switch (character) {
      case '*':
        return 'star';
      case '/':
        return 'slash';
      case '?':
        return '[^/]';
      case '[':
        return this.#class(start);
      case '\\': {
        const next = this.#characters[this.#at++];
        if (next === undefined) throw this.#refuse('nothing follows "\\"', start);
        return next === '/' ? 'slash' : literal(next);
      }
      default:
        return literal(character);
    }
  }

  #class(start: number): string {
    const negated = ['!', '^'].includes(this.#characters[this.#at] ?? '');
    if (negated) this.#at++;
    const ranges: [number, number][] = [];
    for (let first = true; first || this.#characters[this.#at] !== ']'; first = false) {
      if (this.#characters[this.#at] === '[' && this.#characters[this.#at + 1] === ':')
        throw this.#refuse('classes with names, as [:alpha:], are not known', this.#at);
      const low = this.#classCharacter(start);
      let high = low;
      if (this.#characters[this.#at] === '-' && this.#characters[this.#at + 1] !== ']') {
        this.#at++;
        high = this.#classCharacter(start);
        if (high < low) throw this.#refuse('a range runs backwards', this.#at - 1);
      }
      ranges.push([low, high]);
    }
    this.#at++;
    if (negated) return `[^/${ranges.map(rangeSource).join('')}]`;
    const withoutSlash = ranges.flatMap(leaveOutSlash);
    if (withoutSlash.length === 0) throw this.#refuse('"[…]" holds nothing but "/"', start);
    return `[${withoutSlash.map(rangeSource).join('')}]`;
  }

  #classCharacter(start: number): number {
    if (this.#characters[this.#at] === '\\') this.#at++;
    const code = this.#characters[this.#at++]?.codePointAt(0);
    if (code === undefined) throw this.#refuse('"[" has no "]"', start);
    return code;
  }

  #refuse(reason: string, at?: number): SandportFault {
    const place = at === undefined ? '' : `, at character ${at + 1}`;
    const shown = this.#pattern.length > 100 ? `${this.#pattern.slice(0, 100)}…` : this.#pattern;
    return new SandportFault(
      'invalid_pattern',
      `The glob ${JSON.stringify(shown)} cannot be read: ${reason}${place}.`,
      { pattern: shown, reason: `${reason}${place}` },
    );
  }
}

const literal = (character: string): string =>
  /^\w$/.test(character) ? character : codeSource(character.codePointAt(0) ?? 0);
const codeSource = (code: number): string => `\\x{${code.toString(16)}}`;
const rangeSource = ([low, high]: readonly [number, number]): string =>
  low === high ? codeSource(low) : `${codeSource(low)}-${codeSource(high)}`;

const slash = 0x2f;

const leaveOutSlash = ([low, high]: readonly [number, number]): [number, number][] =>
  (
    [
      [low, Math.min(high, slash - 1)],
      [Math.max(low, slash + 1), high],
    ] satisfies [number, number][]
  ).filter(([from, to]) => from <= to);
