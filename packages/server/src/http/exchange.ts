import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeldShare, Principal } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import { Query } from './query.ts';

const requestIdPattern = /^[A-Za-z0-9._-]{1,64}$/;

/** One request and its answer, as handlers see them. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client's `X-Request-Id` when it is a sensible one, else 16 random hex digits. */
  readonly requestId: string;
  readonly path: string;
  readonly query: Query;
  /** Pattern of the route, for the log. */
  route = '-';
  params: Readonly<Record<string, string>> = {};
  /** Code of the error that was answered, for the log. */
  errorCode: string | undefined;
  /** Bytes of the body that were read, for the log. */
  bytesIn = 0;
  /** Counts what the request holds in memory. Set with the principal. */
  held: Pick<HeldShare, 'take'> | undefined;
  #principal: Principal | undefined;
  #abort: AbortController | undefined;
  #continued = false;
  readonly #held: Disposable[] = [];

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    this.requestId = requestIdOf(request);
    response.setHeader('X-Request-Id', this.requestId);
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.query = new Query(mark === -1 ? '' : url.slice(mark + 1));
  }

  /** Who asks. Set before any handler of a protected route runs. */
  get principal(): Principal {
    if (this.#principal === undefined) throw new Error('the route is not protected');
    return this.#principal;
  }

  set principal(principal: Principal) {
    this.#principal = principal;
  }

  /** A parameter of the route's pattern. */
  param(name: string): string {
    const value = this.params[name];
    if (value === undefined) throw new Error(`the route has no parameter ${name}`);
    try {
      return decodeURIComponent(value);
    } catch {
      throw new SandportFault('invalid_request', `"${value}" in the path is not valid UTF-8.`, {
        field: name,
      });
    }
  }

  /** Aborts when the client goes away before it has its answer. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      this.hold({
        [Symbol.dispose]: () => {
          if (!this.response.writableFinished) abort.abort();
        },
      });
    }
    return this.#abort.signal;
  }

  /** Tells a client that asked (`Expect: 100-continue`) to send its body. */
  takeBody(): void {
    if (this.#continued || !expectsContinue(this.request)) return;
    this.#continued = true;
    this.response.writeContinue();
  }

  /** True while the client holds its body back. */
  get bodyHeldBack(): boolean {
    return expectsContinue(this.request) && !this.#continued;
  }

  /** Bytes that the connection has sent, of this answer and of earlier ones. */
  get bytesSent(): number {
    return this.request.socket.bytesWritten;
  }

  /** Disposes of `resource` once the answer is out, or the client has gone. */
  hold(resource: Disposable): void {
    const { response } = this;
    if (response.closed) {
      resource[Symbol.dispose]();
      return;
    }
    this.#held.push(resource);
    if (this.#held.length > 1) return;
    response.once('close', () => {
      for (const held of this.#held.splice(0)) held[Symbol.dispose]();
    });
  }

  /** Answers with JSON. */
  json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const text = Buffer.from(JSON.stringify(body));
    this.response.writeHead(status, {
      ...headers,
      'Content-Type': 'application/json',
      'Content-Length': text.length,
    });
    this.response.end(this.request.method === 'HEAD' ? undefined : text);
  }

  /** Answers without a body. */
  empty(status = 204): void {
    this.response.writeHead(status).end();
  }
}

/** As the client named the request, when that is a sensible name; else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && requestIdPattern.test(given)
    ? given
    : randomBytes(8).toString('hex');
}

export const expectsContinue = (request: IncomingMessage): boolean =>
  request.headers.expect?.toLowerCase() === '100-continue';
