import { SandportFault } from '@sandport/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGlob, compileGlobs } from './glob.ts';

describe('a glob', () => {
  const cases: [pattern: string, matches: string[], not: string[]][] = [
    ['*.ts', ['a.ts', 'src/a.ts', '.ts', 'a\nb.ts', '😀.ts'], ['a.tsx', 'a.ts/b']],
    ['?', ['a', 'x/😀', '\n'], ['ab', 'a/bb']],
    ['src/*.ts', ['src/a.ts'], ['a.ts', 'src/x/a.ts', 'x/src/a.ts']],
    ['src/**', ['src/a', 'src/a/b'], ['src', 'srcs/a']],
    ['src/**/*.ts', ['src/a.ts', 'src/x/a.ts', 'src/x/y/a.ts'], ['src.ts', 'x/src/a.ts']],
    ['**/test', ['test', 'a/test', 'a/b/test'], ['a/test/b', 'atest']],
    ['**', ['a', 'a/b'], []],
    ['a**b', ['ab', 'axb', 'x/axb'], ['a/b']],
    ['/top', ['top'], ['x/top']],
    ['build/', ['build', 'x/build'], ['build/x']],
    ['[a-c]x[!0-9]', ['axa', 'cx-', 'd/bxx'], ['dxa', 'ax1', 'ax/']],
    ['[]a]', [']', 'a'], ['[']],
    ['[a-]', ['a', '-'], ['b']],
    ['[.-0]', ['.', '0'], ['/']],
    ['*.{js,t{s,sx}}', ['a.js', 'a.ts', 'a.tsx'], ['a.{js', 'a.t']],
    ['{a/b,c}/d', ['a/b/d', 'c/d'], ['d', 'x/c/d']],
    ['{**/,}a/b', ['a/b', 'x/a/b'], []],
    ['a,b}', ['a,b}'], []],
    [String.raw`\*\{a\}[\]]`, ['*{a}]'], ['x{a}]']],
    ['a.b+(c)|^$', ['a.b+(c)|^$'], ['axb+(c)|^$']],
    ['ÄÖ', ['ÄÖ'], ['äö']],
  ];
  test.each(cases)('%s', (pattern, matches, not) => {
    const glob = compileGlob(pattern);
    for (const path of matches) expect(glob(path), path).toBe(true);
    for (const path of not) expect(glob(path), path).toBe(false);
  });

  test.each([
    ['', 'empty'],
    ['a[b', '"[" has no "]", at character 2'],
    ['a{b', '"{" has no "}", at character 2'],
    ['a\\', 'nothing follows "\\", at character 2'],
    ['[z-a]', 'backwards'],
    ['[/]', 'nothing but "/"'],
    ['[[:alpha:]]', 'not known'],
    ['{'.repeat(20), 'deep'],
    ['{a,b}'.repeat(40), 'too many'],
    ['\ud800', 'Unicode'],
    ['x'.repeat(5000), 'too long'],
    ['{,}'.repeat(40), 'too many'],
    [`{${'{,,,},'.repeat(40)}}`.repeat(4), 'too many'],
    [`${'{a,b}'.repeat(8)}${'x'.repeat(900)}`, 'too many'],
  ])('%j is refused and says why', (pattern, reason) => {
    try {
      compileGlob(pattern);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof SandportFault)) throw error;
      expect(error.code).toBe('invalid_pattern');
      expect(error.message).toContain(reason);
    }
  });

  test('tells which directories need not be entered', () => {
    const glob = compileGlob('src/*/x/**/z.ts');
    for (const may of ['src', 'src/a', 'src/a/x', 'src/a/x/b', 'src/a/x/b/c'])
      expect(glob.mayMatchBelow(may), may).toBe(true);
    for (const never of ['lib', 'src/a/y', 'srcs']) expect(glob.mayMatchBelow(never)).toBe(false);
    expect(compileGlob('z.ts').mayMatchBelow('any/where')).toBe(true);
    expect(compileGlobs(['a/b', 'c/d']).mayMatchBelow('c')).toBe(true);
    expect(compileGlob('/a').mayMatchBelow('a')).toBe(false);
  });

  test('takes little time, whatever the pattern', () => {
    const started = performance.now();
    expect(compileGlob('*a'.repeat(500))(`${'a'.repeat(250)}b`)).toBe(false);
    expect(compileGlob('**/a/'.repeat(200))('a/'.repeat(1900) + 'b')).toBe(false);
    expect(compileGlob('a/'.repeat(511))('a/a')).toBe(false);
    expect(compileGlob('a/'.repeat(511)).mayMatchBelow('a/a')).toBe(true);
    expect(compileGlob('{a,b}'.repeat(8))('abababab')).toBe(true);
    expect(() => compileGlobs(Array.from({ length: 64 }, () => '{a,b}'.repeat(8)))).toThrow(
      'together',
    );
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

/** The plain meaning of a glob, with all the time in the world. */
type Token = '*' | '?' | '**' | '/' | { literal: string } | { oneOf: Token[][] };

function slowMatch(tokens: readonly Token[], text: string): boolean {
  const [token, ...rest] = tokens;
  if (token === undefined) return text === '';
  if (typeof token === 'object' && 'oneOf' in token)
    return token.oneOf.some((each) => slowMatch([...each, ...rest], text));
  if (token === '**') {
    if (rest.length === 0) return text !== '';
    // A slash follows: no directory at all, or one and then the same again.
    if (slowMatch(rest.slice(1), text)) return true;
    const end = text.indexOf('/');
    return end > 0 && slowMatch(tokens, text.slice(end + 1));
  }
  if (token === '*')
    return slowMatch(rest, text) || (/^[^/]/.test(text) && slowMatch(tokens, text.slice(1)));
  if (token === '?') return /^[^/]/.test(text) && slowMatch(rest, text.slice(1));
  const literal = token === '/' ? '/' : token.literal;
  return text.startsWith(literal) && slowMatch(rest, text.slice(literal.length));
}

const toText = (tokens: readonly Token[]): string =>
  tokens
    .map((token) => {
      if (typeof token === 'string') return token;
      return 'literal' in token ? token.literal : `{${token.oneOf.map(toText).join(',')}}`;
    })
    .join('');

const name = fc.array(fc.constantFrom('a', 'b', '.'), { minLength: 1, maxLength: 3 });
const path = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((names) => names.map((each) => each.join('')).join('/'));
const simple: fc.Arbitrary<Token> = fc.constantFrom<Token>(
  '?',
  { literal: 'a' },
  { literal: 'b' },
  { literal: '.' },
);
const single: fc.Arbitrary<Token[]> = fc.oneof(
  { weight: 4, arbitrary: simple.map((token) => [token]) },
  { weight: 2, arbitrary: fc.constant<Token[]>(['*', { literal: 'a' }]) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.array(simple, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 })
      .map((oneOf): Token[] => [{ oneOf }]),
  },
);
const component: fc.Arbitrary<Token[]> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(single, { minLength: 1, maxLength: 3 }).map((each) => each.flat()),
  },
  { weight: 1, arbitrary: fc.constant<Token[]>(['**']) },
  { weight: 1, arbitrary: fc.constant<Token[]>(['*']) },
);
const anyGlob = fc
  .array(component, { minLength: 1, maxLength: 4 })
  .map((names) => names.flatMap((each, index) => (index === 0 ? each : ['/' as const, ...each])));

test('a glob means what the slow matcher says', () => {
  fc.assert(
    fc.property(anyGlob, path, (tokens, text) => {
      const whole: Token[] = tokens.includes('/') ? tokens : ['**', '/', ...tokens];
      const glob = compileGlob(toText(tokens));
      expect(glob(text)).toBe(slowMatch(whole, text));
      if (glob(text))
        for (let end = text.indexOf('/'); end > 0; end = text.indexOf('/', end + 1))
          expect(glob.mayMatchBelow(text.slice(0, end))).toBe(true);
    }),
    { numRuns: 1_500 },
  );
});
