import { expect, test } from 'vitest';
import { apiKeyOf, passwordOf } from './api-key-of.ts';

test.each([
  [{ authorization: 'Bearer k' }, 'k'],
  [{ authorization: 'bearer  k ' }, 'k'],
  [{ 'x-api-key': 'k' }, 'k'],
  [{ authorization: 'Basic eDpr', 'x-api-key': 'k' }, 'k'],
  [{ authorization: 'Basic eDpr' }, undefined],
  [{ authorization: 'Bearer a b' }, undefined],
  [{}, undefined],
])('the key of %j is %s', (headers, key) => {
  expect(apiKeyOf(headers)).toBe(key);
});

test.each([
  ['u:k', 'k'],
  ['u:a:b', 'a:b'],
  [':k', 'k'],
  ['u:', ''],
  ['k', undefined],
])('the password of %s is %s', (pair, password) => {
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  expect(passwordOf({ authorization })).toBe(password);
});

test('other credentials have no password', () => {
  expect(passwordOf({ authorization: 'Bearer u:k' })).toBeUndefined();
  expect(passwordOf({ authorization: 'Basic \u0000' })).toBeUndefined();
  expect(passwordOf({})).toBeUndefined();
});
