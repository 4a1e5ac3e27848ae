import type { BatchFailure as FailureOnWire } from '@sandport/protocol';
import { errorFromAnswer } from '../../errors/error-from-answer.ts';
import type { SandportError } from '../../errors/sandport-error.ts';

/** A file of a batch that could not be read, written or removed. */
export interface BatchFailure {
  readonly ok: false;
  readonly path: string;
  /** What a request for this file alone would have thrown. */
  readonly error: SandportError;
}

export const failureOf = ({ path, error, code }: FailureOnWire): BatchFailure => ({
  ok: false,
  path,
  error: errorFromAnswer({ body: { error, code, path } }),
});
