import {
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Exchange } from '@sandport/server';
import { Refusal, unreachable } from '../runtimes/answers.ts';
import { requestTimeoutSeconds } from '../runtimes/request-timeout.ts';
import type { LocatedSandbox } from '../sandboxes/sandbox-directory.ts';
import { forwardedHeaders } from './forwarded-headers.ts';

/** What a request that is led into a sandbox needs. */
export interface Proxied {
  readonly exchange: Exchange;
  /** @throws Refusal when nothing listens there */
  readonly connect: () => Promise<Duplex>;
  readonly sandbox: Pick<LocatedSandbox, 'name'>;
  readonly port: number;
}

/** How long a program in a sandbox may take before its answer begins, in seconds. */
const defaultTimeoutSeconds = 180;

/** An answer of which nothing comes for so long is cut, in milliseconds. */
const idleTimeoutMs = 3_600_000;

/** Most answers with 1xx that are taken before the real one. */
const maxInterimAnswers = 16;

/** Most bytes of the head of an answer. */
export const maxAnswerHeadBytes = 32 * 1024;

/**
 * Sends a request to a program in a sandbox and its answer back, both streamed. The answer is
 * hostile: it is parsed strictly and bounded, and what it says is passed on, never followed.
 * @throws Refusal 502, 504
 */
export async function proxyRequest({ exchange, connect, sandbox, port }: Proxied): Promise<void> {
  const { request, response, signal } = exchange;
  const timeoutMs = (requestTimeoutSeconds(request) ?? defaultTimeoutSeconds) * 1000;
  const connection = await connect();
  const cut = () => connection.destroy();
  signal.addEventListener('abort', cut, { once: true });
  try {
    if (signal.aborted) return;
    const outgoing = open(request, connection, port);
    exchange.takeBody();
    // A program may answer before it has read all; what breaks here breaks the answer, too.
    pipeline(request, outgoing).catch(() => undefined);
    const answer = await answerOf(outgoing, request, { timeoutMs, name: sandbox.name });
    await passOn(answer, response, sandbox.name);
  } finally {
    signal.removeEventListener('abort', cut);
    connection.destroy();
  }
}

async function passOn(
  answer: IncomingMessage,
  response: ServerResponse,
  name: string,
): Promise<void> {
  const timer = setTimeout(() => answer.destroy(), idleTimeoutMs).unref();
  try {
    for (const field of response.getHeaderNames()) response.removeHeader(field);
    response.sendDate = false;
    const fields = forwardedHeaders(answer);
    for (let index = 0; index + 1 < fields.length; index += 2)
      response.appendHeader(fields[index] ?? '', fields[index + 1] ?? '');
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage);
  } catch {
    throw unreachable(name);
  }
  answer.on('data', () => timer.refresh());
  try {
    await pipeline(answer, response);
  } catch {
    response.destroy();
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with the head of the answer. @throws Refusal 502, 504 */
function answerOf(
  outgoing: ClientRequest,
  request: IncomingMessage,
  { timeoutMs, name }: { readonly timeoutMs: number; readonly name: string },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let interim = 0;
    const timer = setTimeout(() => {
      reject(new Refusal(504, { detail: `Timed out waiting for the backend sandbox: ${name}` }));
      outgoing.destroy();
    }, timeoutMs);
    // The time is that of the program, not that of a long body on its way to it.
    request.on('data', () => timer.refresh());
    const fail = () => {
      clearTimeout(timer);
      reject(unreachable(name));
    };
    outgoing.on('information', () => {
      interim += 1;
      if (interim > maxInterimAnswers) outgoing.destroy();
    });
    outgoing.once('response', (answer) => {
      clearTimeout(timer);
      answer.on('error', () => undefined);
      resolve(answer);
    });
    outgoing.on('error', fail).once('close', fail);
  });
}

function open(request: IncomingMessage, connection: Duplex, port: number): ClientRequest {
  const headers = forwardedHeaders(request);
  const hasBody =
    request.headers['content-length'] !== undefined ||
    request.headers['transfer-encoding'] !== undefined;
  return httpRequest({
    // Node takes any stream for a socket here.
    createConnection: () => connection as Socket,
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: [
      'Host',
      `127.0.0.1:${port}`,
      ...headers,
      'Connection',
      'close',
      ...(hasBody && request.headers['content-length'] === undefined
        ? ['Transfer-Encoding', 'chunked']
        : []),
    ],
    setHost: false,
    maxHeaderSize: maxAnswerHeadBytes,
    insecureHTTPParser: false,
  });
}
