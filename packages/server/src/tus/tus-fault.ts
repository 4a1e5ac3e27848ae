import { type ErrorCode, type FaultDetails, SandportFault } from '@sandport/protocol';

/** An error for which tus wants another status than the error table has. */
export class TusFault extends SandportFault {
  readonly #status: number;

  constructor(status: number, code: ErrorCode, sentence: string, details: FaultDetails = {}) {
    super(code, sentence, details);
    this.#status = status;
  }

  override get status(): number {
    return this.#status;
  }
}

/** An error of the tus library, which has a status and a line of text. */
interface LibraryError {
  readonly status_code: number;
  readonly body: string;
}

export const isLibraryError = (error: unknown): error is LibraryError =>
  typeof error === 'object' && error !== null && 'status_code' in error && 'body' in error;

const codes: Readonly<Record<number, ErrorCode>> = {
  404: 'upload_not_found',
  409: 'upload_conflict',
  413: 'payload_too_large',
};

/** What a client is told about a request that the tus library refuses. */
export function faultOfLibrary(status: number, text: string): SandportFault {
  if (status >= 500) return new SandportFault('internal', 'The upload failed.', {});
  if (status === 412)
    return new TusFault(412, 'invalid_request', 'The request must say Tus-Resumable: 1.0.0.', {
      field: 'Tus-Resumable',
    });
  const code = codes[status] ?? 'invalid_request';
  const why = text.trim().replace(/\.$/, '');
  return new SandportFault(code, `Not a request of tus 1.0 that can be followed: ${why}.`, {});
}
