import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Exchange } from '../http/exchange.ts';
import { noticeDeadClient } from './dead-client.ts';
import {
  AnswerTimeoutError,
  BadAnswerError,
  bodyFields,
  type Destination,
  isOddlyCoded,
  openRequest,
} from './destination.ts';
import { endToEndTrailers, type Fields } from './fields.ts';
import { sendRequest } from './send-request.ts';

/** Most answers with 1xx that are taken before the real one. */
const maxInterimAnswers = 16;

/** What the daemon itself says in the answer. */
const ownFields: ReadonlySet<string> = new Set(['x-sandport-woke']);

/**
 * Sends a request to a program in a sandbox and its answer back, both streamed. The answer is
 * hostile: it is parsed strictly and bounded, and what it says is passed on, never followed.
 * @throws BadAnswerError, AnswerTimeoutError, and what `connect` throws
 */
export async function proxyRequest(exchange: Exchange, destination: Destination): Promise<void> {
  const { request, signal } = exchange;
  noticeDeadClient(request.socket);
  const connection = await destination.connect();
  const cut = () => connection.destroy();
  signal.addEventListener('abort', cut, { once: true });
  try {
    if (signal.aborted) return;
    const outgoing = openRequest(request.method, destination, connection, [
      ...bodyFields(request),
      ...(exchange.bodyHeldBack ? ([['Expect', '100-continue']] as const) : []),
      ['Connection', 'close'],
    ]);
    const answer = await answerOf(outgoing, exchange, destination.answerTimeoutMs);
    await passOn(answer, exchange, destination.answerFields);
  } finally {
    signal.removeEventListener('abort', cut);
    connection.destroy();
  }
}

/** Sends the request; resolves with the head of the answer. @throws BadAnswerError, AnswerTimeoutError */
function answerOf(
  outgoing: ClientRequest,
  exchange: Exchange,
  timeoutMs: number,
): Promise<IncomingMessage> {
  const { request, response } = exchange;
  return new Promise((resolve, reject) => {
    let interim = 0;
    const timer = setTimeout(() => {
      reject(new AnswerTimeoutError('no answer in time'));
      outgoing.destroy();
    }, timeoutMs);
    const fail = () => {
      clearTimeout(timer);
      reject(new BadAnswerError('no answer in HTTP'));
    };
    outgoing.on('information', ({ statusCode, headers }) => {
      interim += 1;
      if (interim > maxInterimAnswers) outgoing.destroy();
      else if (request.httpVersion === '1.1') passHint(response, statusCode, headers['link']);
    });
    outgoing.once('response', (answer) => {
      clearTimeout(timer);
      answer.on('error', () => undefined);
      if (isOddlyCoded(answer)) fail();
      else resolve(answer);
    });
    outgoing.on('error', fail).once('close', fail);
    // The time is that of the program, not that of a long body on its way to it.
    sendRequest(exchange, outgoing, () => timer.refresh());
  });
}

/** Tells the client what comes before the answer, where that means something to it. */
function passHint(response: ServerResponse, status: number, link: unknown): void {
  try {
    if (status === 102) response.writeProcessing();
    else if (status === 103 && typeof link === 'string') response.writeEarlyHints({ link });
  } catch {
    // A hint that is none.
  }
}

async function passOn(
  answer: IncomingMessage,
  { response, bodyHeldBack }: Exchange,
  answerFields: Destination['answerFields'],
): Promise<void> {
  // A client that was not asked for its body may send it or not.
  if (bodyHeldBack) response.shouldKeepAlive = false;
  writeHead(response, answer, answerFields(answer));
  // An answer may say nothing for a long time once it has begun, as streams of events do.
  const flush = setImmediate(() => response.flushHeaders());
  try {
    await pipeline(answer, response, { end: false });
    const trailers = endToEndTrailers(answer);
    if (trailers.length > 0 && !response.hasHeader('content-length'))
      response.addTrailers(trailers);
    response.end();
  } catch {
    response.destroy();
  } finally {
    clearImmediate(flush);
  }
}

/** @throws BadAnswerError when the head cannot be one; nothing of it was written then */
function writeHead(response: ServerResponse, answer: IncomingMessage, fields: Fields): void {
  const own = response.getHeaderNames().filter((name) => !ownFields.has(name));
  for (const name of own) response.removeHeader(name);
  response.sendDate = false;
  try {
    for (const [name, value] of fields)
      if (!ownFields.has(name.toLowerCase())) response.appendHeader(name, value);
    const length = answer.headers['content-length'];
    if (length !== undefined) response.setHeader('Content-Length', length);
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage);
  } catch {
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    throw new BadAnswerError('a head that HTTP does not allow');
  }
}
