import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PodRequest, PodStreams } from './pod-streams.ts';

/**
 * A request to stream to a pod, as the `upgrade` event of a Node server gives it, after its sender
 * is known and allowed to do this.
 */
export interface StreamUpgrade {
  readonly request: IncomingMessage;
  /** Of the request's URL. */
  readonly query: URLSearchParams;
  readonly socket: Duplex;
  /** What came after the request's head. */
  readonly head: Buffer;
  readonly pods: PodStreams;
  readonly pod: PodRequest;
  /** Aborts to end the streams, as when the server stops. */
  readonly signal?: AbortSignal;
}
