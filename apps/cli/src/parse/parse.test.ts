import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { parseCopyPlace, parseRemoteOrRoot, parseRemotePlace } from './copy-place.ts';
import { parseOwner } from './owner.ts';
import {
  count,
  keyValue,
  mebibytes,
  pointInTime,
  positiveInteger,
  positiveNumber,
  seconds,
  several,
  sizeInBytes,
  volume,
} from './values.ts';

describe('parseCopyPlace', () => {
  test.each([
    ['-', { kind: 'standard' }],
    ['box:/a b:c', { kind: 'remote', holder: 'box', path: '/a b:c' }],
    ['volume:data:/x', { kind: 'remote', holder: 'volume:data', path: '/x' }],
    ['volume:ns/data:/a:b', { kind: 'remote', holder: 'volume:ns/data', path: '/a:b' }],
    ['volume:/x', { kind: 'remote', holder: 'volume', path: '/x' }],
    ['./a:/b', { kind: 'local', path: './a:/b' }],
    ['/a:/b', { kind: 'local', path: '/a:/b' }],
    [':/x', { kind: 'local', path: ':/x' }],
    ['plain', { kind: 'local', path: 'plain' }],
  ])('%s', (text, place) => expect(parseCopyPlace(text)).toEqual(place));

  test.each(['', 'box:relative', 'box:', 'volume:data', 'volume:data:x', 'volume::/x'])(
    '%j is refused',
    (text) => {
      expect(() => parseCopyPlace(text)).toThrow(UsageError);
    },
  );
});

describe('places in sandboxes', () => {
  test('a path is needed, or may be left out', () => {
    const place = { kind: 'remote', holder: 'box', path: '/a' };
    expect(parseRemotePlace('box:/a')).toEqual(place);
    expect(parseRemoteOrRoot('box:/a')).toEqual(place);
    expect(parseRemoteOrRoot('box')).toEqual({ ...place, path: '/' });
    expect(parseRemoteOrRoot('box:')).toEqual({ ...place, path: '/' });
    const root = { kind: 'remote', holder: 'volume:a/b', path: '/' };
    expect(parseRemoteOrRoot('volume:a/b')).toEqual(root);
    expect(parseRemoteOrRoot('volume:a/b:')).toEqual(root);
  });

  test.each([
    ['box', 'box:/path'],
    ['/etc', 'BOX:/etc'],
    ['a/b', 'BOX:/path'],
    ['-', 'BOX:/path'],
  ])('%s alone is refused, with %s as the way', (text, way) => {
    expect(() => parseRemotePlace(text)).toThrow(`write it as ${way},`);
    if (text !== 'box') expect(() => parseRemoteOrRoot(text)).toThrow(UsageError);
  });
});

describe('parseOwner', () => {
  test.each([
    ['root', { user: 'root' }],
    ['0:100', { user: 0, group: 100 }],
    ['user:', undefined],
    [':staff', { group: 'staff' }],
    ['', undefined],
    [':', undefined],
    ['a b', undefined],
    ['a:b:c', undefined],
  ])('%j', (text, owner) => {
    if (owner === undefined) expect(() => parseOwner(text)).toThrow(UsageError);
    else expect(parseOwner(text)).toEqual(owner);
  });
});

describe('values', () => {
  test('collect what is repeated', () => {
    expect(keyValue('B=2=3', keyValue('A='))).toEqual({ A: '', B: '2=3' });
    expect(several('b', several('a'))).toEqual(['a', 'b']);
    expect(volume('data:ro', volume('out'))).toEqual([
      { name: 'out', readOnly: false },
      { name: 'data', readOnly: true },
    ]);
    expect(volume('data:/srv/data:ro:size=2g')).toEqual([
      { name: 'data', readOnly: true, path: '/srv/data', sizeMb: 2048 },
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
    [sizeInBytes, '1000', 1000],
    [sizeInBytes, '10b', 10],
    [sizeInBytes, '64k', 65_536],
    [sizeInBytes, '1.5MiB', 1_572_864],
    [sizeInBytes, '2GB', 2_147_483_648],
    [count, '0', 0],
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
    [sizeInBytes, '-1'],
    [sizeInBytes, '1q'],
    [sizeInBytes, 'k'],
    [count, '-1'],
    [count, '1.0'],
    [count, ''],
    [pointInTime, 'yesterday'],
    [keyValue, '=x'],
    [keyValue, 'x'],
    [volume, 'a:b:c'],
    [volume, 'a:/b:/c'],
    [volume, 'a:size=x'],
    [volume, ':ro'],
  ])('%o refuses %j', (parse, text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError);
  });
});

test.each([
  ['1700000000', 1_700_000_000_000],
  ['1700000000.25', 1_700_000_000_250],
  ['-1', -1000],
  ['2026-01-31T12:00:00Z', Date.UTC(2026, 0, 31, 12)],
])('the time %s', (text, ms) => expect(pointInTime(text).getTime()).toBe(ms));
