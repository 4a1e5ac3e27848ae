/** Reasons of Kubernetes' `Status`, with the HTTP status of each. */
export const statusReasons = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

export type StatusReason = keyof typeof statusReasons;

/** What is wrong with one field. */
export interface FieldCause {
  /** As `spec.lifecycle.shutdownTime`. */
  readonly field: string;
  readonly message: string;
  /** As `FieldValueInvalid`, `FieldValueRequired`, `FieldManagerConflict`. */
  readonly reason: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** The plural name of the resource, as Kubernetes has it here. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly FieldCause[];
  readonly retryAfterSeconds?: number;
}

/** An error that is answered as a Kubernetes `Status`. The message is a sentence for people. */
export class KubeError extends Error {
  readonly reason: StatusReason;
  readonly code: number;
  readonly details: StatusDetails | undefined;

  constructor(reason: StatusReason, message: string, details?: StatusDetails) {
    super(message);
    this.name = 'KubeError';
    this.reason = reason;
    this.code = statusReasons[reason];
    this.details = details;
  }

  /** The body of the answer. */
  toStatus(): Readonly<Record<string, unknown>> {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}
