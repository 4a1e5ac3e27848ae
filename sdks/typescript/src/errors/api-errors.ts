import type { ErrorClassName } from '@sandport/protocol';
import { SandportError } from './sandport-error.ts';

/** 400 and its kin: the request itself is wrong. */
export class BadRequestError extends SandportError {
  override name = 'BadRequestError';
}

/** The bytes that arrived are not the bytes that were sent; seen by the daemon or by this client. */
export class DigestMismatchError extends BadRequestError {
  override name = 'DigestMismatchError';
}

/** 401, 403: no key, a wrong key, or a key that may not do this. */
export class AuthError extends SandportError {
  override name = 'AuthError';
}

/** 403: the kernel or a read-only volume refuses the operation. */
export class PermissionError extends SandportError {
  override name = 'PermissionError';
}

/** 404: the sandbox, file, template, volume or key does not exist. */
export class NotFoundError extends SandportError {
  override name = 'NotFoundError';
}

/** 409: what is there does not fit the request, as a directory where a file is needed. */
export class ConflictError extends SandportError {
  override name = 'ConflictError';
}

/** 412: the file was changed meanwhile. */
export class PreconditionFailedError extends SandportError {
  override name = 'PreconditionFailedError';
}

/** 413: the body is larger than the route takes. */
export class TooLargeError extends SandportError {
  override name = 'TooLargeError';
}

/** 429: a limit of the daemon is reached. */
export class LimitError extends SandportError {
  override name = 'LimitError';
}

/** 500: the daemon failed. */
export class ServerError extends SandportError {
  override name = 'ServerError';
}

/** 503, 504: the daemon is stopping, or the sandbox does not answer. */
export class UnavailableError extends SandportError {
  override name = 'UnavailableError';
}

/** 507: the disk, or the disk limit of the sandbox, is full. */
export class StorageFullError extends SandportError {
  override name = 'StorageFullError';
}

/** The class for each name in the error table; the compiler sees to it that none is missing. */
export const errorClasses = {
  BadRequestError,
  AuthError,
  PermissionError,
  NotFoundError,
  ConflictError,
  PreconditionFailedError,
  TooLargeError,
  LimitError,
  ServerError,
  UnavailableError,
  StorageFullError,
} as const satisfies Record<ErrorClassName, typeof SandportError>;
