import type { PeerStream } from '../peer/peer-stream.ts';
import type { PodRequest, PortForwardTarget } from '../pod-streams.ts';
import type { SpdyHeaders } from '../spdy/header-block.ts';
import { connectPort, parsePort } from './connect-port.ts';
import { joinStreams } from './join-streams.ts';

interface Pair {
  readonly port: number;
  readonly timer: NodeJS.Timeout;
  data?: PeerStream;
  error?: PeerStream;
}

/** How long the second stream of a connection may come after the first. */
const pairTimeoutMs = 30_000;

/**
 * Forwards the connections of one client over SPDY streams. Each connection is two streams with
 * the same `requestid`: one with its bytes, one for what goes wrong with it.
 */
export class SpdyPortForward {
  readonly #target: PortForwardTarget;
  readonly #pod: PodRequest;
  readonly #pairs = new Map<string, Pair>();

  constructor(target: PortForwardTarget, pod: PodRequest) {
    this.#target = target;
    this.#pod = pod;
  }

  /** Takes a stream that the client opened. */
  opened(stream: PeerStream, headers: SpdyHeaders): void {
    const type = headers.get('streamtype');
    const port = parsePort(headers.get('port'));
    // Clients of old sent no ids: the stream with the bytes came right after the other one.
    const id = headers.get('requestid') ?? `stream ${stream.id - (type === 'data' ? 2 : 0)}`;
    if (port === undefined || (type !== 'data' && type !== 'error')) {
      stream.destroy();
      return;
    }
    const pair = this.#pairs.get(id) ?? this.#newPair(id, port);
    if (pair.port !== port || pair[type] !== undefined) {
      stream.destroy();
      return;
    }
    pair[type] = stream;
    if (pair.data === undefined || pair.error === undefined) return;
    clearTimeout(pair.timer);
    this.#pairs.delete(id);
    void this.#forward(port, pair.data, pair.error);
  }

  #newPair(id: string, port: number): Pair {
    const timer = setTimeout(() => {
      this.#pairs.delete(id);
      pair.data?.destroy();
      pair.error?.destroy();
    }, pairTimeoutMs).unref();
    const pair: Pair = { port, timer };
    this.#pairs.set(id, pair);
    return pair;
  }

  async #forward(port: number, data: PeerStream, error: PeerStream): Promise<void> {
    error.resume();
    try {
      const connection = await connectPort(this.#target, port, data);
      await joinStreams(connection, data);
      error.end();
    } catch (cause) {
      // The reason first: it is lost to a client that stops listening when the bytes end.
      const reason = cause instanceof Error ? cause.message : String(cause);
      const { namespace, name } = this.#pod;
      error.end(
        `error forwarding port ${port} to pod ${name} in namespace ${namespace}: ${reason}`,
      );
      data.destroy();
    }
  }
}
