import type { IncomingMessage } from 'node:http';

/** Longest wait that a request may ask for, in seconds. */
const maxSeconds = 86_400;

/** `X-Sandbox-Timeout`: how long the client waits, in seconds. What is no positive number is ignored. */
export function requestTimeoutSeconds({ headers }: IncomingMessage): number | undefined {
  const field = headers['x-sandbox-timeout'];
  if (typeof field !== 'string' || !/^\d{1,9}(?:\.\d{1,9})?$/.test(field)) return undefined;
  const seconds = Number(field);
  return seconds > 0 ? Math.min(seconds, maxSeconds) : undefined;
}
