import { constants } from 'node:os';

/** A failed system call. `code` is the errno's name, as in `ENOENT`. */
export class SystemError extends Error {
  readonly code: string;
  readonly syscall: string;

  constructor(code: string, syscall: string) {
    super(`${syscall}: ${code}`);
    this.name = 'SystemError';
    this.code = code;
    this.syscall = syscall;
  }
}

/** The errno's name of a failed system call, whether ours or Node's; undefined for other errors. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  // Node has no name for it; its numbers are negative.
  if ('errno' in error && error.errno === -constants.errno.EDQUOT) return 'EDQUOT';
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}
