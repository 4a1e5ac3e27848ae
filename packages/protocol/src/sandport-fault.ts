import { type ErrorCode, errorTable } from './error-table.ts';

/** What an error answer carries beside its sentence and code; plain JSON. */
export type FaultDetails = Readonly<Record<string, unknown>>;

/** Body of every error answer. `error` is a sentence, so that clients that print it make sense. */
export interface ErrorBody extends FaultDetails {
  readonly error: string;
  readonly code: ErrorCode;
}

/**
 * A failure that a client may see. Thrown anywhere from the driver up; the server turns it into
 * the status and the body of the error table. Anything else that is thrown becomes `internal`.
 */
export class SandportFault extends Error {
  readonly code: ErrorCode;
  readonly details: FaultDetails;

  constructor(
    code: ErrorCode,
    message: string,
    details: FaultDetails = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'SandportFault';
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  /** The answer's body. */
  toBody(): ErrorBody {
    return { ...this.details, error: this.message, code: this.code };
  }
}
