import { status } from '@grpc/grpc-js';
import { type ErrorCode, SandportFault } from '@sandport/protocol';

/** An error as gRPC sends it. */
export class StatusError extends Error {
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string) {
    super(details);
    this.name = 'StatusError';
    this.code = code;
    this.details = details;
  }
}

const codes: Partial<Record<ErrorCode, status>> = {
  command_not_started: status.INVALID_ARGUMENT,
  invalid_request: status.INVALID_ARGUMENT,
  sandbox_not_found: status.UNAVAILABLE,
  invalid_state: status.UNAVAILABLE,
  sandbox_unresponsive: status.UNAVAILABLE,
  create_failed: status.UNAVAILABLE,
  limit_reached: status.RESOURCE_EXHAUSTED,
};

/** What a call ends with. */
export function asStatus(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof SandportFault)
    return new StatusError(codes[error.code] ?? status.INTERNAL, error.message);
  return new StatusError(status.INTERNAL, 'The daemon met a condition it did not expect.');
}

export const invalid = (sentence: string): StatusError =>
  new StatusError(status.INVALID_ARGUMENT, sentence);
