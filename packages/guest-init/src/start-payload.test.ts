import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InitError } from './init-error.ts';
import { encodeStart, type InitCommandSpec } from './start-payload.ts';

function decode(payload: Buffer): (readonly [number, Buffer])[] {
  const items: (readonly [number, Buffer])[] = [];
  for (let at = 0; at < payload.length; ) {
    const bytes = payload.readUInt32LE(at + 1);
    items.push([payload.readUInt8(at), payload.subarray(at + 5, at + 5 + bytes)]);
    at += 5 + bytes;
  }
  return items;
}

const base: InitCommandSpec = { args: ['true'], cwd: '/', env: {}, user: 'root' };
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((s) => !s.includes('\0'));
const name = text.filter((s) => s !== '' && !s.includes('='));

describe('encodeStart', () => {
  test('carries every field', () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1 }),
        fc.dictionary(name, text),
        text,
        fc.boolean(),
        (args, env, cwd, stdin) => {
          const items = decode(encodeStart({ args, env, cwd, user: 'user', stdin }));
          const texts = (tag: number) =>
            items.filter(([t]) => t === tag).map(([, value]) => value.toString());
          expect(texts(1)).toEqual(args);
          expect(texts(2)).toEqual(Object.entries(env).map(([key, value]) => `${key}=${value}`));
          expect(texts(3)).toEqual([cwd]);
          expect(texts(4)).toEqual(['user']);
          expect(items.some(([tag]) => tag === 6)).toBe(stdin);
        },
      ),
    );
  });

  test.each([
    [0, 1],
    [0.2, 1],
    [1500, 1500],
    [1e15, 0xffff_ffff],
  ])('a timeout of %d ms is sent as %d', (timeoutMs, sent) => {
    const items = decode(encodeStart({ ...base, timeoutMs }));
    expect(items.find(([tag]) => tag === 5)?.[1].readUInt32LE()).toBe(sent);
  });

  test.each<[string, Partial<InitCommandSpec>, string]>([
    ['no program', { args: [] }, 'EINVAL'],
    ['NUL in an argument', { args: ['a\0b'] }, 'EINVAL'],
    ['NUL in the directory', { cwd: '/\0' }, 'EINVAL'],
    ['a variable without a name', { env: { '': 'x' } }, 'EINVAL'],
    ['a variable name with =', { env: { 'a=b': 'x' } }, 'EINVAL'],
    ['a timeout that is no number', { timeoutMs: Number.NaN }, 'EINVAL'],
    ['more than a frame holds', { args: ['x'.repeat(1024 * 1024)] }, 'E2BIG'],
  ])('%s is refused', (_name, change, code) => {
    let caught: unknown;
    try {
      encodeStart({ ...base, ...change });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(InitError);
    expect(caught).toMatchObject({ kind: 'not_started', step: 'request', code });
  });
});
