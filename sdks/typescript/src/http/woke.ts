import type { IncomingMessage } from 'node:http';
import { header } from './answer-body.ts';

/** How a hibernated sandbox came back for a request: with its processes, or from its disk only. */
export type Woke = 'memory' | 'disk';

/** What the head of an answer says about it; undefined when the sandbox was awake. */
export function wokeOf(message: IncomingMessage): Woke | undefined {
  return wokeFrom(header(message, 'x-sandport-woke'));
}

export function wokeFrom(value: unknown): Woke | undefined {
  return value === 'memory' || value === 'disk' ? value : undefined;
}
