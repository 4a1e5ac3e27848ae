import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientConfig } from '../config/client-options.ts';
import { errnoOf, NetworkError } from '../errors/client-errors.ts';
import { ServerError } from '../errors/api-errors.ts';
import { errorOf, header, parseJson, readAll } from './answer-body.ts';
import { attempt, explain, type Target } from './attempt.ts';
import { isRepeatable, type RequestSpec } from './request.ts';
import { ClientSocket, type SocketSpec } from './socket/client-socket.ts';

/** Reads a value that came over the wire; throws when it is not one. */
export interface Schema<T> {
  parse(value: unknown): T;
}

/** A call whose body, when it has one, is JSON. */
export interface JsonRequest extends Omit<RequestSpec, 'body'> {
  readonly json?: unknown;
}

const slowTimeoutMs = 600_000;
const retryDelaysMs = [100, 400];
const retryErrnos = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * Speaks to one daemon over connections that are kept open. Requests that can be repeated are sent
 * again, at most twice, when the connection failed before any byte of an answer.
 */
export class Transport {
  readonly #target: Target;
  readonly #query: RequestSpec['query'];

  constructor(config: ClientConfig | Transport, query?: RequestSpec['query']) {
    this.#query = query;
    if (config instanceof Transport) {
      this.#target = config.#target;
      return;
    }
    const url = new URL(config.url);
    const Agent = url.protocol === 'https:' ? https.Agent : http.Agent;
    const agent = new Agent({ keepAlive: true, scheduling: 'lifo' });
    this.#target = { url, agent, apiKey: config.apiKey, idleTimeoutMs: config.idleTimeoutMs };
  }

  /** The same connections, with this query in every request. */
  withQuery(query: NonNullable<RequestSpec['query']>): Transport {
    return new Transport(this, { ...this.#query, ...query });
  }

  /** Address of the daemon, without a slash at its end. */
  get url(): string {
    return this.#target.url.href.replace(/\/$/, '');
  }

  /** The key that every request carries. */
  get apiKey(): string {
    return this.#target.apiKey;
  }

  /** Milliseconds of silence that are borne while the daemon works on a whole tree; 0: any. */
  get slowTimeoutMs(): number {
    const { idleTimeoutMs } = this.#target;
    return idleTimeoutMs === 0 ? 0 : Math.max(idleTimeoutMs, slowTimeoutMs);
  }

  /**
   * Sends a request and gives its answer once the head is there; the body must be read or
   * destroyed.
   * @throws SandportError for every status but 2xx, and when the daemon cannot be reached
   */
  async send(spec: RequestSpec): Promise<IncomingMessage> {
    const message = await this.#sendRepeatedly(spec);
    const status = message.statusCode ?? 0;
    if ((status >= 200 && status < 300) || status === spec.accepts) return message;
    throw await errorOf(message);
  }

  /** Sends a request and reads its answer to the end, without looking at it. */
  async drain(spec: RequestSpec): Promise<IncomingMessage> {
    const message = await this.send(spec);
    await this.#read(message, spec);
    return message;
  }

  /** Sends a request and reads the JSON of its answer. */
  async json<T>(request: JsonRequest, schema: Schema<T>): Promise<T> {
    return (await this.jsonWithHead(request, schema)).value;
  }

  /** The same, with the head of the answer. */
  async jsonWithHead<T>(request: JsonRequest, schema: Schema<T>) {
    const spec = jsonSpec(request);
    const message = await this.send(spec);
    return { value: await this.readJson(message, schema, spec), message };
  }

  /** Reads the JSON of an answer. */
  async readJson<T>(message: IncomingMessage, schema: Schema<T>, spec: RequestSpec): Promise<T> {
    const text = (await this.#read(message, spec)).toString('utf8');
    try {
      return schema.parse(parseJson(text));
    } catch (cause) {
      throw new ServerError(
        `The answer to ${spec.method} ${spec.path} is not what this client expects; the daemon at ${this.url} may be another version.`,
        {
          code: 'unexpected_answer',
          statusCode: message.statusCode,
          requestId: header(message, 'x-request-id'),
          cause,
        },
      );
    }
  }

  /** Opens a WebSocket; see `ClientSocket.open`. */
  socket(spec: SocketSpec): Promise<ClientSocket> {
    return ClientSocket.open(this.#target, { ...spec, query: { ...this.#query, ...spec.query } });
  }

  /** The error that stands for a connection that broke while a body was read. */
  brokenBody(error: Error, spec: Pick<RequestSpec, 'method' | 'path' | 'signal'>): unknown {
    if (spec.signal?.aborted) return spec.signal.reason;
    return explain(error, this.#target, `${spec.method} ${spec.path}`);
  }

  /** Closes the connections that are kept. Requests after it open new ones. */
  close(): void {
    this.#target.agent.destroy();
  }

  async #read(message: IncomingMessage, spec: RequestSpec): Promise<Buffer> {
    try {
      return await readAll(message);
    } catch (error) {
      throw error instanceof Error ? this.brokenBody(error, spec) : error;
    }
  }

  async #sendRepeatedly(request: RequestSpec): Promise<IncomingMessage> {
    const spec =
      this.#query === undefined
        ? request
        : { ...request, query: { ...this.#query, ...request.query } };
    const delays = isRepeatable(spec) ? retryDelaysMs : [];
    if (delays.length === 0) await pollConnections();
    for (const delayMs of delays) {
      try {
        return await attempt(this.#target, spec);
      } catch (error) {
        if (!isRetryable(error)) throw error;
        await sleep(delayMs, undefined, spec.signal && { signal: spec.signal }).catch(() => {});
      }
    }
    return attempt(this.#target, spec);
  }
}

/** A request whose body is JSON, in bytes. */
export function jsonSpec({ json, ...request }: JsonRequest): RequestSpec {
  if (json === undefined) return request;
  return {
    ...request,
    headers: { 'content-type': 'application/json', ...request.headers },
    body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify(json)) },
  };
}

function isRetryable(error: unknown): boolean {
  return error instanceof NetworkError && retryErrnos.has(errnoOf(error.cause) ?? '');
}

/**
 * Lets the event loop look at all connections once, so that those are dropped which the daemon has
 * closed: a request that is sent only once must not meet one. The first immediate may run before
 * the loop has polled, the second one runs after it.
 */
async function pollConnections(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}
