import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Fields } from './fields.ts';

/** Where a request is led, and what changes on the way. */
export interface Destination {
  /** A connection for this request alone. */
  readonly connect: () => Promise<Duplex>;
  /** Target of the request there, as `/a?b=c`. */
  readonly target: string;
  readonly host: string;
  /** Fields of the request there, beside `Host` and those of the connection. */
  readonly requestFields: Fields;
  /** Fields of an answer as the client gets them. */
  readonly answerFields: (answer: IncomingMessage) => Fields;
  /** How long the program may take before its answer begins, once nothing more is sent, in ms. */
  readonly answerTimeoutMs: number;
}

/** The other side answered with something else than HTTP, or broke off before its answer. */
export class BadAnswerError extends Error {}

/** The other side took too long. */
export class AnswerTimeoutError extends Error {}

/** Most bytes of the head of an answer. */
const maxAnswerHeadBytes = 32 * 1024;

/** A request of our own on a connection, with fields that were chosen one by one. */
export function openRequest(
  method: string | undefined,
  { target, host, requestFields }: Destination,
  connection: Duplex,
  connectionFields: Fields,
): ClientRequest {
  return httpRequest({
    // Node takes any stream for a socket here.
    createConnection: () => connection as Socket,
    method: method ?? 'GET',
    path: target,
    headers: [['Host', host], ...requestFields, ...connectionFields].flat(),
    setHost: false,
    maxHeaderSize: maxAnswerHeadBytes,
    insecureHTTPParser: false,
  });
}

/** How the body of a request is framed; nothing when there is none. */
export function bodyFields({ headers }: IncomingMessage): Fields {
  const length = headers['content-length'];
  if (length !== undefined) return [['Content-Length', length]];
  return headers['transfer-encoding'] === undefined ? [] : [['Transfer-Encoding', 'chunked']];
}

/** True when a body is in another coding than the one that is undone here. */
export const isOddlyCoded = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined &&
  headers['transfer-encoding'].trim().toLowerCase() !== 'chunked';
