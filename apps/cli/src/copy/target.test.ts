import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { nameOf, type TargetKind, targetPathOf } from './target.ts';

const place = (path: string, isDirectory: boolean) => ({ text: path, path, isDirectory });
const to = (path: string, kind: TargetKind) => ({ text: path, path, kind });

describe('targetPathOf is what cp -r does', () => {
  test.each([
    // A file.
    ['f', false, '/t', 'missing', '/t'],
    ['f', false, '/t', 'file', '/t'],
    ['f', false, '/t', 'directory', '/t/f'],
    ['f', false, '/t/', 'missing', '/t/f'],
    ['a/b/f', false, '/', 'directory', '/f'],
    // A directory, with or without a slash at its end.
    ['d', true, '/t', 'missing', '/t'],
    ['d/', true, '/t', 'directory', '/t/d'],
    ['d//', true, '/t//', 'directory', '/t/d'],
    ['x/d', true, '/t/', 'missing', '/t/d'],
    // What is in a directory.
    ['d/.', true, '/t', 'missing', '/t'],
    ['d/.', true, '/t', 'directory', '/t'],
    ['.', true, '/t/', 'missing', '/t/'],
    ['..', true, '/t', 'directory', '/t'],
    ['/', true, 'out', 'missing', 'out'],
  ] as const)('%s (directory: %s) to %s (%s) is %s', (from, isDirectory, target, kind, path) => {
    expect(targetPathOf(place(from, isDirectory), to(target, kind), true)).toBe(path);
  });

  test.each([
    ['d', true, '/t', 'file', true],
    ['d/.', true, '/t', 'file', true],
    ['f', false, '/t/', 'file', true],
    ['f', false, '/t', 'file', false],
    ['f', false, '/t', 'missing', false],
  ] as const)('%s (directory: %s) to %s (%s) is refused', (from, dir, target, kind, isOnly) => {
    expect(() => targetPathOf(place(from, dir), to(target, kind), isOnly)).toThrow(UsageError);
  });

  test('a source never lands outside of a target that is a directory', () => {
    const path = fc.array(fc.constantFrom('a', 'b c', '.', '..', '/', '//'), { minLength: 1 });
    fc.assert(
      fc.property(path, fc.boolean(), (parts, isOnly) => {
        const from = parts.join('/');
        const result = targetPathOf(place(from, true), to('/t', 'directory'), isOnly);
        expect(result).toMatch(/^\/t(\/(?!\.{1,2}$)[^/]+)?$/);
      }),
    );
  });
});

test.each([
  ['a', 'a'],
  ['/a/b c/', 'b c'],
  ['.hidden', '.hidden'],
  ['...', '...'],
  ['/', undefined],
  ['a/.', undefined],
  ['a/../', undefined],
])('the name of %s is %s', (path, name) => expect(nameOf(path)).toBe(name));
