import { ServerResponse } from 'node:http';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { setWarnings } from './warnings.ts';

const headersOf = (warnings: readonly string[]): unknown => {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  setWarnings(response, warnings);
  return response.getHeader('Warning');
};

test('warnings are quoted, and cannot break out of their header', () => {
  expect(headersOf([])).toBeUndefined();
  expect(headersOf(['a "b" \\c', 'a\r\nX: y', 'a "b" \\c'])).toEqual([
    '299 - "a \\"b\\" \\\\c"',
    '299 - "a X: y"',
  ]);
  const [unicode] = headersOf(['größer … 😀']) as [string];
  expect(Buffer.from(unicode, 'latin1').toString('utf8')).toBe('299 - "größer … 😀"');
});

test('there are not too many, and they are not too long', () => {
  const headers = headersOf(Array.from({ length: 100 }, (_, index) => `${index}`.repeat(1000)));
  expect(headers).toHaveLength(32);
  for (const header of headers as string[]) expect(header.length).toBeLessThan(600);
});
