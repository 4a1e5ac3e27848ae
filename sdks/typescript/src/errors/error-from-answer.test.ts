import { errorCodes, errorTable } from '@sandport/protocol';
import { describe, expect, test } from 'vitest';
import { DigestMismatchError, errorClasses } from './api-errors.ts';
import { errorFromAnswer } from './error-from-answer.ts';
import { SandportError } from './sandport-error.ts';

describe('errorFromAnswer', () => {
  test.each(errorCodes)('%s has the class, status and advice of the table', (code) => {
    const row = errorTable[code];
    const error = errorFromAnswer({
      body: { error: 'A sentence.', code, path: '/p', extra: 1 },
      statusCode: row.status,
      requestId: 'r',
    });
    expect(error).toBeInstanceOf(errorClasses[row.errorClass]);
    expect(error).toBeInstanceOf(SandportError);
    expect(error.name).toBe(code === 'digest_mismatch' ? 'DigestMismatchError' : row.errorClass);
    expect(error).toMatchObject({
      message: 'A sentence.',
      code,
      statusCode: row.status,
      retryable: row.retryable,
      advice: row.advice,
      requestId: 'r',
      path: '/p',
      details: { path: '/p', extra: 1 },
    });
  });

  test('a digest mismatch has a class of its own', () => {
    const error = errorFromAnswer({ body: { error: 'x', code: 'digest_mismatch' } });
    expect(error).toBeInstanceOf(DigestMismatchError);
  });

  test.each([
    [401, 'AuthError'],
    [404, 'NotFoundError'],
    [418, 'BadRequestError'],
    [500, 'ServerError'],
    [502, 'UnavailableError'],
    [507, 'StorageFullError'],
  ])('an answer of %i without a code falls back to %s', (statusCode, name) => {
    const error = errorFromAnswer({ body: '<html>proxy</html>', statusCode });
    expect(error.name).toBe(name);
    expect(error.message).toContain(String(statusCode));
    expect(error.code).toBe(`http_${statusCode}`);
  });

  test.each([null, [], 5, undefined, { error: { message: 'x' } }])(
    'a body of %j is no trouble',
    (body) => {
      expect(errorFromAnswer({ body, statusCode: 500 }).message).toContain('500');
    },
  );
});
