import { SandportFault } from '@sandport/protocol';
import { answerBody, type Exchange } from '@sandport/server';

/** An error with the body that this protocol has for it. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`refused with ${status}`);
    this.name = 'Refusal';
    this.status = status;
    this.body = body;
    this.headers = headers;
  }

  /** Answers with it. */
  answer(exchange: Exchange): void {
    answerBody(exchange, this.status, this.body, this.headers);
  }
}

/** The sandbox cannot be reached at all, in the words of the router. */
export const unreachable = (name: string): Refusal =>
  new Refusal(502, { detail: `Could not connect to the backend sandbox: ${name}` });

const unreachableCodes: ReadonlySet<string> = new Set([
  'sandbox_not_found',
  'invalid_state',
  'create_failed',
  'isolation_unavailable',
  'sandbox_unresponsive',
  'shutting_down',
]);

/** True for what says that the sandbox is gone, dead or asleep for good. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof SandportFault && unreachableCodes.has(error.code);
