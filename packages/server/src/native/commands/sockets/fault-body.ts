import { type ErrorBody, SandportFault } from '@sandport/protocol';

/** Called with an error that is no answer to a client. */
export type OnUnexpected = (error: unknown) => void;

/** What a client is told of an error. */
export function faultBody(error: unknown, onUnexpected: OnUnexpected): ErrorBody {
  if (error instanceof SandportFault) return error.toBody();
  onUnexpected(error);
  return {
    error: 'The daemon met a condition it did not expect; its log names it.',
    code: 'internal',
  };
}
