import type { SandboxFiles } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePath, pathToRead, pathToWrite } from './paths.ts';

/** Only what is resolved: which paths exist. */
function placeWith(...existing: string[]) {
  const stat = async (path: string) => {
    if (!existing.includes(path)) throw new SandportFault('file_not_found', `no ${path}`, { path });
    return {};
  };
  // Nothing else is called.
  return { files: { stat } as unknown as SandboxFiles, home: '/home/user' };
}

describe('where a client writes', () => {
  test.each([
    ['data.csv', '/home/user/data.csv'],
    ['a/b.txt', '/home/user/a/b.txt'],
    ['/home/user/data.csv', '/home/user/data.csv'],
    ['/etc/x', '/etc/x'],
    ['home/user/data.csv', '/home/user/data.csv'],
    ['home/user', '/home/user'],
    ['home/users/x', '/home/user/home/users/x'],
    ['workspace/a', '/workspace/a'],
    ['tmp/a', '/tmp/a'],
    ['mnt/data/a', '/mnt/data/a'],
    ['tmpfile', '/home/user/tmpfile'],
    ['./a', '/home/user/a'],
    ['.//./a', '/home/user/a'],
    ['.hidden', '/home/user/.hidden'],
    ['', '/home/user'],
    ['.', '/home/user'],
    ['a%20b', '/home/user/a%20b'],
  ])('%s → %s', async (sent, meant) => {
    expect(await pathToWrite(sent, placeWith())).toBe(meant);
  });

  test('below an own directory of that name', async () => {
    const place = placeWith('/home/user/tmp');
    expect(await pathToWrite('tmp/a', place)).toBe('/home/user/tmp/a');
    expect(await pathToWrite('/tmp/a', place)).toBe('/tmp/a');
  });

  test('in a home directory that is the root', async () => {
    expect(await pathToWrite('a', { ...placeWith(), home: '/' })).toBe('/a');
  });
});

describe('where a client reads', () => {
  test('from the root what is only there', async () => {
    const place = placeWith('/etc/hostname');
    expect(await pathToRead('etc/hostname', place)).toBe('/etc/hostname');
    expect(await pathToRead('etc/nothing', place)).toBe('/home/user/etc/nothing');
  });

  test('below the home directory what is there, too', async () => {
    const place = placeWith('/etc/hostname', '/home/user/etc/hostname');
    expect(await pathToRead('etc/hostname', place)).toBe('/home/user/etc/hostname');
  });
});

test('the encoding is undone once', () => {
  expect(decodePath('%2Fhome%2Fa%2520b')).toBe('/home/a%20b');
  expect(() => decodePath('%FF')).toThrow(SandportFault);
  expect(() => decodePath('%')).toThrow(SandportFault);
});

test('every path is absolute, or refused as such', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (sent) => {
      for (const resolve of [pathToRead, pathToWrite])
        try {
          expect(await resolve(sent, placeWith())).toMatch(/^\//);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_path' });
        }
    }),
  );
});
