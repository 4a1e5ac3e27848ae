/** The SDKs' error classes below `SandportError`, coarsest useful split. */
export const errorClassNames = [
  'BadRequestError',
  'AuthError',
  'PermissionError',
  'NotFoundError',
  'ConflictError',
  'PreconditionFailedError',
  'TooLargeError',
  'LimitError',
  'ServerError',
  'UnavailableError',
  'StorageFullError',
] as const;
export type ErrorClassName = (typeof errorClassNames)[number];
