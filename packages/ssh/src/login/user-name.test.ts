import { namespaceSchema } from '@sandport/protocol';
import { expect, test } from 'vitest';
import { narrowTo, parseUserName } from './user-name.ts';

test.each([
  ['box', { sandbox: 'box' }],
  ['box@sandport', { sandbox: 'box' }],
  ['box.team', { sandbox: 'box', namespace: 'team' }],
  ['box.team@x@y', { sandbox: 'box', namespace: 'team' }],
  ['', { sandbox: '' }],
  ['a.b.c', { sandbox: 'a', namespace: 'b.c' }],
])('%s', (userName, address) => expect(parseUserName(userName)).toEqual(address));

test('a key reaches no further than before', () => {
  const team = namespaceSchema.parse('team');
  const administrator = { keyId: 'a' };
  const bound = { keyId: 'b', namespaces: new Set([team]) };
  expect(narrowTo(bound, undefined)).toBe(bound);
  expect(narrowTo(administrator, 'team')).toEqual({ keyId: 'a', namespaces: new Set(['team']) });
  expect(narrowTo(bound, 'team')).toEqual(bound);
  expect(narrowTo(bound, 'other')).toBeUndefined();
  expect(narrowTo(administrator, 'b.c')).toBeUndefined();
  expect(narrowTo(administrator, '')).toBeUndefined();
});
