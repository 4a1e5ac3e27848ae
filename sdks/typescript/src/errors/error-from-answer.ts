import { type ErrorClassName, errorTable, isErrorCode, SandportFault } from '@sandport/protocol';
import { DigestMismatchError, errorClasses } from './api-errors.ts';
import type { SandportError } from './sandport-error.ts';

export interface ErrorAnswer {
  /** Parsed JSON, or the text when it was none. */
  readonly body: unknown;
  readonly statusCode?: number | undefined;
  readonly requestId?: string | undefined;
}

/**
 * Makes the error for an answer of the daemon. A code of the table decides the class; an answer
 * without one, as from a proxy in between, falls back to its status.
 */
export function errorFromAnswer(answer: ErrorAnswer): SandportError {
  const { error, code, ...details } = fields(answer.body);
  const message = sentence(error, answer);
  const { statusCode, requestId } = answer;
  if (!isErrorCode(code)) {
    const ErrorClass = errorClasses[classOfStatus(statusCode)];
    const retryable = statusCode === 429 || statusCode === 502 || statusCode === 503;
    return new ErrorClass(message, {
      code: typeof code === 'string' ? code : `http_${statusCode ?? 0}`,
      statusCode,
      requestId,
      retryable,
      details,
    });
  }
  const row = errorTable[code];
  const ErrorClass =
    code === 'digest_mismatch' ? DigestMismatchError : errorClasses[row.errorClass];
  return new ErrorClass(message, {
    code,
    statusCode: statusCode ?? row.status,
    requestId,
    retryable: row.retryable,
    advice: row.advice,
    details,
  });
}

/** The same for a check that this client makes with the protocol's own code. */
export function errorFromFault(fault: SandportFault): SandportError {
  return errorFromAnswer({ body: fault.toBody() });
}

/** Runs a check of the protocol; its fault comes out as an error of this package. */
export function checked<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof SandportFault ? errorFromFault(error) : error;
  }
}

function fields(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {};
  return Object.fromEntries(Object.entries(body));
}

function sentence(error: unknown, answer: ErrorAnswer): string {
  if (typeof error === 'string' && error !== '') return error;
  const text = typeof answer.body === 'string' ? answer.body.trim().slice(0, 200) : '';
  return `The daemon answered ${answer.statusCode ?? 'with an error'}${text === '' ? '.' : `: ${text}`}`;
}

function classOfStatus(status: number | undefined): ErrorClassName {
  switch (status) {
    case 401:
    case 403:
      return 'AuthError';
    case 404:
      return 'NotFoundError';
    case 409:
      return 'ConflictError';
    case 412:
      return 'PreconditionFailedError';
    case 413:
      return 'TooLargeError';
    case 429:
      return 'LimitError';
    case 502:
    case 503:
    case 504:
      return 'UnavailableError';
    case 507:
      return 'StorageFullError';
    default:
      return status !== undefined && status >= 400 && status < 500
        ? 'BadRequestError'
        : 'ServerError';
  }
}
