import { Agent, type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';

export interface HttpRequest {
  /** @default 'GET' */
  readonly method?: string;
  /** Path and query, sent as it is. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array | string | Readable;
  /** Sent after the body, which then comes in chunks. */
  readonly trailers?: Readonly<Record<string, string>>;
  /** The whole exchange. @default 30_000 */
  readonly timeoutMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
  readonly ms: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/**
 * One exchange with nothing between the test and the wire: no retries, no redirects, the path as
 * given. An answer that comes before the body has been sent counts as the answer.
 */
export function exchange(url: string, options: HttpRequest): Promise<HttpAnswer> {
  const { method = 'GET', path, body, trailers, timeoutMs = 30_000 } = options;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { ...framing(options), ...options.headers };
    const sent = httpRequest(url, { method, path, agent, headers });
    let answered = false;
    sent.on('response', (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          trailers: response.trailers,
          body: Buffer.concat(chunks),
          ms: performance.now() - startedAt,
        });
      });
    });
    sent.on('error', (error) => {
      // The daemon may close a connection whose body it refused once it has answered.
      if (answered) return;
      clearTimeout(timer);
      reject(error);
    });
    const timer = setTimeout(() => {
      reject(new Error(`${method} ${path.slice(0, 100)} took longer than ${timeoutMs} ms`));
      sent.destroy();
    }, timeoutMs);
    if (body instanceof Readable) {
      body.pipe(sent);
      return;
    }
    if (trailers !== undefined) sent.addTrailers(trailers);
    sent.end(body);
  });
}

/** How the end of the body is told. */
function framing({ body, trailers }: HttpRequest): Record<string, string | number> {
  if (trailers !== undefined)
    return { 'Transfer-Encoding': 'chunked', Trailer: Object.keys(trailers).join(', ') };
  return body === undefined || body instanceof Readable
    ? {}
    : { 'Content-Length': Buffer.byteLength(body) };
}
