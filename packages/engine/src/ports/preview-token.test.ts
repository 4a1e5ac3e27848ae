import { randomBytes } from 'node:crypto';
import { sandboxIdSchema, SandportFault } from '@sandport/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPreviewToken, openPreviewToken, signPreviewToken } from './preview-token.ts';

const secret = randomBytes(32);
const claims = {
  sandbox: sandboxIdSchema.parse('8a88310b-1d7c-4bb7-ae1d-1cfa444de457'),
  port: 3000,
  paths: ['/docs/', '/a%20b'],
  key: 'abc',
  expiresAt: new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60_000),
};

test('what was signed is read back', () => {
  expect(openPreviewToken(signPreviewToken(claims, secret), secret)).toEqual(claims);
  const all = { ...claims, paths: [] };
  expect(openPreviewToken(signPreviewToken(all, secret), secret)).toEqual(all);
});

test('one that has expired was a token once', () => {
  const token = signPreviewToken({ ...claims, expiresAt: new Date(Date.now() - 1) }, secret);
  // Expiries are whole seconds, rounded up.
  expect(isPreviewToken(token, secret)).toBe(true);
  const old = signPreviewToken({ ...claims, expiresAt: new Date(Date.now() - 1_001) }, secret);
  expect(() => openPreviewToken(old, secret)).toThrow(/expired/);
});

test('a token of another daemon is none', () => {
  const token = signPreviewToken(claims, randomBytes(32));
  expect(isPreviewToken(token, secret)).toBe(false);
  expect(() => openPreviewToken(token, secret)).toThrow(/not valid/);
});

test('no change of a token goes unseen', () => {
  const token = signPreviewToken(claims, secret);
  const at = fc.nat(token.length - 1);
  const character = fc.constantFrom(...'ABCxyz019-_.=|+/ \n');
  fc.assert(
    fc.property(at, character, fc.constantFrom('put', 'add', 'cut'), (index, other, how) => {
      const rest = token.slice(how === 'add' ? index : index + 1);
      const changed = `${token.slice(0, index)}${how === 'cut' ? '' : other}${rest}`;
      if (changed === token) return;
      expect(isPreviewToken(changed, secret)).toBe(false);
      expect(() => openPreviewToken(changed, secret)).toThrow(SandportFault);
    }),
    { numRuns: 500 },
  );
});

test.each(['', '.', 'a.b', `.${'A'.repeat(43)}`, `${'A'.repeat(5_000)}.${'A'.repeat(43)}`])(
  '%j is no token',
  (token) => expect(isPreviewToken(token, secret)).toBe(false),
);
