import type { Duplex, Readable, Writable } from 'node:stream';
import type { Caller } from '../http/caller.ts';

/** A pod that a client streams to. */
export interface PodRequest {
  readonly namespace: string;
  readonly name: string;
  readonly caller: Caller;
}

/** What ports of a pod lead to. */
export interface PortForwardTarget {
  /**
   * A connection to a port of the pod, half-closable in both directions.
   * @throws Error whose message goes to the client, for this connection only
   */
  connect(port: number): Promise<Duplex>;
}

export interface ExecRequest extends PodRequest {
  readonly container: string | undefined;
  /** Program and arguments; at least one. */
  readonly command: readonly string[];
  readonly tty: boolean;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The streams that the client asked for. With a terminal there is no `stderr`. */
export interface ExecStreams {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Sizes of the client's terminal, the first as soon as it is known. */
  readonly resizes: AsyncIterable<TerminalSize>;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export interface ExecOutcome {
  readonly exitCode: number;
}

/** What the API server asks for the streams of pods. */
export interface PodStreams {
  /** @throws KubeError `NotFound`, `BadRequest` */
  portForward(request: PodRequest): Promise<PortForwardTarget>;
  /**
   * Runs the command to its end; resolves when its output has been written.
   * @throws KubeError before the command has started
   */
  exec(request: ExecRequest, streams: ExecStreams): Promise<ExecOutcome>;
}
