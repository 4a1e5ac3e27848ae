import { type ErrorCode, SandportFault } from '@sandport/protocol';
import { Refusal } from '../answers.ts';

/** Codes of errors, with the status of each. */
const statuses = {
  INVALID_ARGUMENT: 400,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const;

export type SandboxdCode = keyof typeof statuses;

/** An error as this API words it. */
export const refusal = (code: SandboxdCode, message: string): Refusal =>
  new Refusal(statuses[code], { code, message });

const codes: Partial<Record<ErrorCode, SandboxdCode>> = {
  invalid_path: 'INVALID_ARGUMENT',
  symlink_loop: 'INVALID_ARGUMENT',
  incomplete_body: 'INVALID_ARGUMENT',
  invalid_request: 'INVALID_ARGUMENT',
  request_timeout: 'INVALID_ARGUMENT',
  is_directory: 'INVALID_ARGUMENT',
  not_a_regular_file: 'INVALID_ARGUMENT',
  not_a_directory: 'INVALID_ARGUMENT',
  read_only: 'PERMISSION_DENIED',
  permission_denied: 'PERMISSION_DENIED',
  file_not_found: 'NOT_FOUND',
  directory_not_empty: 'CONFLICT',
  already_exists: 'CONFLICT',
  path_busy: 'CONFLICT',
  precondition_failed: 'CONFLICT',
};

/** A fault in this API's words; statuses that it has no code for keep theirs. */
export function inWords(fault: SandportFault): Refusal {
  const code = codes[fault.code];
  if (code !== undefined) return refusal(code, fault.message);
  const other = fault.status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL';
  return new Refusal(fault.status, { code: other, message: fault.message });
}
