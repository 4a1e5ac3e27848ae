import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ObjectStore } from '../../store/object-store.ts';
import type { Caller } from '../caller.ts';
import type { WatchHub } from '../watch/watch-hub.ts';

/** One request of somebody known, and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly caller: Caller;
}

/** What requests work on. */
export interface ApiContext {
  readonly store: ObjectStore;
  readonly hub: WatchHub;
  readonly sharedNamespace: string;
  /** Whether the sender of a request is still known: keys are revoked while a request lasts. */
  readonly isKnown: (request: IncomingMessage) => boolean;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** What a request comes to. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly warnings?: readonly string[];
}
