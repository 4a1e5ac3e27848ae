import { SandportFault } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { parseRange } from './byte-range.ts';
import { formatDigest, parseDigest, wantsDigest } from './digest.ts';
import { Query } from './query.ts';

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof SandportFault ? error.code : String(error);
  }
  return 'none';
};

test.each([
  ['bytes=0-0', 0, 1],
  ['bytes=2-4', 2, 5],
  ['bytes=5-', 5, 10],
  ['bytes=-3', 7, 10],
  ['bytes=-99', 0, 10],
  ['bytes=9-999', 9, 10],
])('range %s of ten bytes', (field, start, end) => {
  expect(parseRange(field, 10, '/f')).toEqual({ start, end });
});

test.each([undefined, 'bytes=', 'bytes=-', 'lines=1-2', 'bytes=1-2,4-5', 'bytes=5-2'])(
  'range %s means the whole file',
  (field) => {
    expect(parseRange(field, 10, '/f')).toBeUndefined();
  },
);

test.each(['bytes=10-', 'bytes=11-12', 'bytes=-0'])('range %s lies behind the end', (field) => {
  expect(code(() => parseRange(field, 10, '/f'))).toBe('range_not_satisfiable');
});

test('digest fields', () => {
  const digest = Buffer.alloc(32, 7);
  expect(parseDigest(formatDigest(digest))).toEqual(digest);
  expect(parseDigest(`md5=:AAAA:, ${formatDigest(digest)}`)).toEqual(digest);
  expect(parseDigest('md5=:AAAA:')).toBeUndefined();
  expect(code(() => parseDigest('sha-256=:AAAA:'))).toBe('invalid_request');
  expect(wantsDigest('sha-256=1')).toBe(true);
  expect(wantsDigest('sha-512=1, sha-256=10')).toBe(true);
  expect(wantsDigest('sha-256=0')).toBe(false);
  expect(wantsDigest(undefined)).toBe(false);
});

test('a query is form encoding in UTF-8, and nothing else', () => {
  const query = new Query('path=%2Fa+b%20%C3%A9&x&y=');
  expect(query.get('path')).toBe('/a b é');
  expect(query.flag('x', false)).toBe(true);
  expect(query.flag('z', true)).toBe(true);
  expect(code(() => new Query('path=%FF'))).toBe('invalid_request');
  expect(code(() => new Query('path=%zz'))).toBe('invalid_request');
  expect(code(() => new Query('x=maybe').flag('x', true))).toBe('invalid_request');
});
