import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  AnswerTimeoutError,
  BadAnswerError,
  type Destination,
  endToEndFields,
} from '@sandport/server';
import { Refusal, unreachable } from '../runtimes/answers.ts';
import { requestTimeoutSeconds } from '../runtimes/request-timeout.ts';

/** A program in a sandbox that a request is for. */
export interface Program {
  /** Of the sandbox. */
  readonly name: string;
  readonly port: number;
  /** @throws Refusal when nothing listens there */
  readonly connect: () => Promise<Duplex>;
}

/** How long a program in a sandbox may take before its answer begins, in seconds. */
const defaultTimeoutSeconds = 180;

/** Keys are the daemon's. */
const keyFields: ReadonlySet<string> = new Set(['authorization', 'x-api-key']);

const withoutKeys = (message: IncomingMessage) =>
  endToEndFields(message).filter(([name]) => !keyFields.has(name.toLowerCase()));

/** Leads a request to a program as it came, but for keys. */
export function programDestination(request: IncomingMessage, program: Program): Destination {
  const { connect, port } = program;
  return {
    connect,
    target: request.url ?? '/',
    host: `127.0.0.1:${port}`,
    requestFields: withoutKeys(request),
    answerFields: withoutKeys,
    answerTimeoutMs: (requestTimeoutSeconds(request) ?? defaultTimeoutSeconds) * 1000,
  };
}

/** What a program that cannot be talked to is in the words of the router. */
export function programRefusal(error: unknown, { name }: Program): unknown {
  if (error instanceof BadAnswerError) return unreachable(name);
  return error instanceof AnswerTimeoutError
    ? new Refusal(504, { detail: `Timed out waiting for the backend sandbox: ${name}` })
    : error;
}
