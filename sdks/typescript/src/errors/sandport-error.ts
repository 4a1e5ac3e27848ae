/** What an error knows beside its sentence. */
export interface SandportErrorInit {
  /** Code of the error table, or one of the client's own codes. */
  code: string;
  /** HTTP status of the answer; absent when there was none. */
  statusCode?: number | undefined;
  /** `X-Request-Id` of the answer, to be found in the daemon's log. */
  requestId?: string | undefined;
  /** The same request may succeed when it is sent again. @default false */
  retryable?: boolean | undefined;
  /** What to do about it, one sentence. */
  advice?: string | undefined;
  /** Everything else that the answer carried. */
  details?: Readonly<Record<string, unknown>> | undefined;
  cause?: unknown;
}

/** Base of every error that this package throws, aborts excepted (they throw the signal's reason). */
export class SandportError extends Error {
  override name = 'SandportError';
  readonly code: string;
  readonly statusCode: number | undefined;
  readonly requestId: string | undefined;
  readonly retryable: boolean;
  readonly advice: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, init: SandportErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.statusCode = init.statusCode;
    this.requestId = init.requestId;
    this.retryable = init.retryable ?? false;
    this.advice = init.advice;
    this.details = init.details ?? {};
  }

  /** The path that the error is about, when it is about one. */
  get path(): string | undefined {
    const path = this.details['path'];
    return typeof path === 'string' ? path : undefined;
  }
}
