import type { Duplex } from 'node:stream';
import type { RuntimeTarget } from '../runtime.ts';

/** Serves gRPC's `process.v1.ProcessService`. */
export interface ProcessService {
  /** Serves a connection until it ends. */
  accept(socket: Duplex, target: RuntimeTarget): void;
}
