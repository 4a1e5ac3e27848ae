import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAllowedPath } from './allowed-path.ts';

test.each([
  ['/docs', true],
  ['/docs/', true],
  ['/docs/a?b=../x', true],
  ['/d%6fcs/a', true],
  ['/docs/a.b/..c/.d', true],
  ['/docsx', false],
  ['/', false],
  ['', false],
  ['docs', false],
  ['/docs/..', false],
  ['/docs/./a', false],
  ['/docs/%2E%2e/a', false],
  ['/docs//a', false],
  ['/docs/a%2fb', false],
  ['/docs/a%5cb', false],
  ['/docs/a\\b', false],
  ['/docs/%252e', false],
  ['/docs/..;a/b', false],
  ['/docs/%00', false],
  ['/docs/%zz', false],
])('%s below /docs/: %s', (target, isAllowed) => {
  expect(isAllowedPath(target, ['/docs/'])).toBe(isAllowed);
});

test('without paths all are allowed', () => {
  expect(isAllowedPath('/../x', [])).toBe(true);
});

test('what is allowed is below the path, however a server resolves it', () => {
  const piece = fc.constantFrom('/', 'docs', 'a', '.', '..', '%2e', '%2f', '\\', ';', '%25', '?');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const target = `/docs${pieces.join('')}`;
      if (!isAllowedPath(target, ['/docs'])) return;
      // As browsers and most servers do it.
      expect(new URL(target, 'http://x').pathname).toMatch(/^\/docs(?:\/|$)/);
    }),
    { numRuns: 1_000 },
  );
});
