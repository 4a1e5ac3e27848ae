import { setMaxListeners } from 'node:events';
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { errnoOf, NetworkError } from '../errors/client-errors.ts';
import { SandportError } from '../errors/sandport-error.ts';
import { watchIdle } from './idle-watch.ts';
import { queryString, type RequestSpec } from './request.ts';
import { closeAfter, sendBytes, sendStream } from './send-body.ts';

/** Where requests go, and the connections that are kept for them. */
export interface Target {
  readonly url: URL;
  readonly apiKey: string;
  readonly agent: http.Agent | https.Agent;
  readonly idleTimeoutMs: number;
}

/**
 * Sends a request once. Resolves when the head of the answer is there, whatever its status.
 * @throws NetworkError, TimeoutError; the signal's reason; what the source of the body throws
 */
export function attempt(target: Target, spec: RequestSpec): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { signal, body } = spec;
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const what = `${spec.method} ${spec.path}`;
    const request = open(target, spec);
    watchIdle(request, spec.idleTimeoutMs ?? target.idleTimeoutMs, what);

    let response: IncomingMessage | undefined;
    const onAbort = () => {
      const reason = asError(signal?.reason);
      response?.destroy(reason);
      request.destroy(reason);
    };
    // One signal may stand over any number of requests; each takes its listener away again.
    if (signal !== undefined) setMaxListeners(0, signal);
    signal?.addEventListener('abort', onAbort, { once: true });
    request.once('close', () => signal?.removeEventListener('abort', onAbort));
    request.on('error', (error) => {
      reject(signal?.aborted ? signal.reason : explain(error, target, what));
    });
    request.once('response', (message: IncomingMessage) => {
      response = message;
      if (!request.writableEnded) closeAfter(request, message);
      resolve(message);
    });

    if (body === undefined) request.end();
    else if (body.kind === 'bytes' && body.onSent === undefined) request.end(body.bytes);
    else {
      const sent = body.kind === 'bytes' ? sendBytes(request, body) : sendStream(request, body);
      sent.catch((error: unknown) => {
        reject(error);
        request.destroy();
      });
    }
  });
}

function open(target: Target, spec: RequestSpec): ClientRequest {
  const { url, agent } = target;
  const headers: Record<string, string | number> = {
    accept: 'application/json',
    authorization: `Bearer ${target.apiKey}`,
    ...spec.headers,
  };
  if (spec.body?.kind === 'bytes') headers['content-length'] = spec.body.bytes.byteLength;
  else if (spec.body?.kind === 'stream') {
    headers['transfer-encoding'] = 'chunked';
    headers['expect'] = '100-continue';
  } else if (spec.method === 'POST' || spec.method === 'PUT') headers['content-length'] = 0;
  const options: RequestOptions = {
    method: spec.method,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${url.pathname.replace(/\/$/, '')}${spec.path}${queryString(spec.query)}`,
    headers,
    agent,
  };
  return url.protocol === 'https:' ? https.request(options) : http.request(options);
}

/** A sentence for an error of the connection. */
export function explain(error: Error, target: Target, what: string): SandportError {
  if (error instanceof SandportError) return error;
  const errno = errnoOf(error);
  const base = target.url.href.replace(/\/$/, '');
  switch (errno) {
    case 'ECONNREFUSED':
      return new NetworkError(
        `No daemon answers at ${base} (connection refused). Start it with \`sandport serve\`, or point SANDPORT_URL at a running one.`,
        error,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new NetworkError(
        `The host of ${base} cannot be found (${errno}). Check SANDPORT_URL.`,
        error,
      );
    default:
      return new NetworkError(
        `${what} to ${base} failed: the connection broke (${errno ?? error.message}).`,
        error,
      );
  }
}

const asError = (reason: unknown) =>
  reason instanceof Error ? reason : new Error('The request was aborted.', { cause: reason });
