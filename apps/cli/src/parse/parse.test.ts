import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { parseCopyPlace } from './copy-place.ts';
import { keyValue, mebibytes, positiveInteger, positiveNumber, seconds, volume } from './values.ts';

describe('parseCopyPlace', () => {
  test.each([
    ['-', { kind: 'standard' }],
    ['box:/a b:c', { kind: 'sandbox', sandbox: 'box', path: '/a b:c' }],
    ['./a:/b', { kind: 'local', path: './a:/b' }],
    ['/a:/b', { kind: 'local', path: '/a:/b' }],
    [':/x', { kind: 'local', path: ':/x' }],
    ['plain', { kind: 'local', path: 'plain' }],
  ])('%s', (text, place) => expect(parseCopyPlace(text)).toEqual(place));

  test.each(['', 'box:relative', 'box:'])('%j is refused', (text) => {
    expect(() => parseCopyPlace(text)).toThrow(UsageError);
  });
});

describe('values', () => {
  test('collect what is repeated', () => {
    expect(keyValue('B=2=3', keyValue('A='))).toEqual({ A: '', B: '2=3' });
    expect(volume('data:ro', volume('out'))).toEqual([
      { name: 'out', readOnly: false },
      { name: 'data', readOnly: true },
    ]);
  });

  test.each([
    [seconds, '90', 90],
    [seconds, '1.5m', 90],
    [seconds, '2h', 7200],
    [mebibytes, '512', 512],
    [mebibytes, '512MB', 512],
    [mebibytes, '1.5g', 1536],
    [mebibytes, '2GiB', 2048],
    [positiveNumber, '0.5', 0.5],
    [positiveInteger, '64', 64],
  ])('%o takes %s as %d', (parse, text, value) => expect(parse(text)).toBe(value));

  test.each([
    [seconds, '5x'],
    [seconds, ''],
    [mebibytes, '-1'],
    [mebibytes, 'm'],
    [positiveNumber, '0'],
    [positiveNumber, ' '],
    [positiveNumber, 'Infinity'],
    [positiveInteger, '1.5'],
    [keyValue, '=x'],
    [keyValue, 'x'],
    [volume, 'a:b:c'],
    [volume, ':ro'],
  ])('%o refuses %j', (parse, text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError);
  });
});
