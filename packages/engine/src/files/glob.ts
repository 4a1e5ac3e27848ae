import { RE2JS } from 're2js';
import { checkTotalSize, type GlobPiece, type ParsedGlob, parseGlob } from './parse-glob.ts';

/** Says whether a path matches. Paths are relative, `a/b/c`, without a slash at either end. */
export interface PathMatcher {
  (relativePath: string): boolean;
  /** False when nothing below the directory can match, so that it need not be entered. */
  mayMatchBelow(directory: string): boolean;
}

export interface Glob extends PathMatcher {
  /** True when the pattern names directories: it is then meant for all levels of a tree. */
  readonly hasSlash: boolean;
}

/**
 * Compiles a glob. `*` is any run of characters but `/`, `?` one of them, `[a-z]` and `[!a-z]`
 * classes of them, `{a,b}` alternatives, `**` as a whole name any number of directories, at the
 * end everything below; `\` takes the meaning from the next character. A pattern without a slash
 * matches names at every level, one with a slash the whole path; a slash at the beginning only
 * ties the pattern to the start, one at the end is left out. Matching takes time linear in the
 * length of the path, whatever the pattern.
 * @throws SandportFault `invalid_pattern` naming the place
 */
export function compileGlob(pattern: string): Glob {
  return compileParsed(parseGlob(pattern));
}

/**
 * Matches what one of the patterns matches.
 * @throws SandportFault `invalid_pattern`, also when they are too much together
 */
export function compileGlobs(patterns: readonly string[]): PathMatcher {
  const parsed = patterns.map((pattern) => parseGlob(pattern));
  checkTotalSize(parsed);
  const globs = parsed.map(compileParsed);
  return Object.assign((relativePath: string) => globs.some((glob) => glob(relativePath)), {
    mayMatchBelow: (directory: string) => globs.some((glob) => glob.mayMatchBelow(directory)),
  });
}

function compileParsed({ alternatives, hasSlash }: ParsedGlob): Glob {
  const patterns = alternatives.map((pieces): NamePattern[] => {
    const names = splitNames(pieces);
    return hasSlash ? names : [anyDirectories, ...names];
  });
  const whole = compile(patterns.map(sourceOf));
  let below: RE2JS | undefined;
  const mayMatchBelow = (directory: string) => {
    if (!hasSlash) return true;
    below ??= compile(patterns.map(ancestorSourceOf));
    return below.testExact(directory);
  };
  return Object.assign((path: string) => whole.testExact(path), { hasSlash, mayMatchBelow });
}

/** A name of a pattern, as a regular expression, or `**`. */
type NamePattern = string | typeof anyDirectories;
const anyDirectories: unique symbol = Symbol('**');

const compile = (sources: readonly string[]): RE2JS => RE2JS.compile(sources.join('|'));

function splitNames(pieces: readonly GlobPiece[]): NamePattern[] {
  const names: GlobPiece[][] = [[]];
  for (const piece of pieces)
    if (piece === 'slash') names.push([]);
    else names.at(-1)?.push(piece);
  return names.map((name) =>
    name.length === 2 && name.every((piece) => piece === 'star')
      ? anyDirectories
      : name.map((piece) => (piece === 'star' ? '[^/]*' : piece)).join(''),
  );
}

function sourceOf(names: readonly NamePattern[]): string {
  const last = names.length - 1;
  return names
    .map((name, index) => {
      if (name === anyDirectories) return index === last ? '(?s:.+)' : '(?:[^/]+/)*';
      return index === last ? name : `${name}/`;
    })
    .join('');
}

/** So many names of a pattern decide which directories are entered; groups nest as deep. */
const maxAncestors = 64;

/** Matches the directories in which, at some depth, something can match: `a(?:/b(?:/c)?)?`. */
function ancestorSourceOf(names: readonly NamePattern[]): string {
  const parents = names.slice(0, -1);
  const known = names.slice(0, Math.min(maxAncestors, parents.length));
  const endless = names.includes(anyDirectories) || known.length < parents.length;
  let source = endless ? anythingBelow : '';
  const end = known.indexOf(anyDirectories);
  for (const name of known.slice(0, end === -1 ? undefined : end).toReversed())
    source = `/${String(name)}${source === '' ? '' : `(?:${source})?`}`;
  return source === anythingBelow ? '(?s:.*)' : source.slice(1);
}

const anythingBelow = '/(?s:.*)';
