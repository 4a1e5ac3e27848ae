import { expect, test } from 'vitest';
import { InitError } from './init-error.ts';

test('says what failed and the name of the error', () => {
  const error = InitError.notStarted('exec', 2);
  expect(error).toMatchObject({ kind: 'not_started', step: 'exec', errno: 2, code: 'ENOENT' });
  expect(error.message).toBe('the program cannot be run: ENOENT');
});

test.each([0, -5, 4000, 99_999])('takes the number %d from a peer that lies', (errno) => {
  expect(InitError.notStarted('cwd', errno).code).toBe(`errno ${errno}`);
});
