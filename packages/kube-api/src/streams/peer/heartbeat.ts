export interface HeartbeatOptions {
  /** Asks the peer for a sign of life. */
  readonly beat: () => void;
  /**
   * Sends something that needs no answer, so that the kernel finds out whether anybody is there.
   * Used while nothing is read from the connection: its end would not be seen then.
   */
  readonly probe: () => void;
  /** Nothing came for too long. */
  readonly lost: () => void;
  readonly timing?: HeartbeatTiming | undefined;
}

export interface HeartbeatTiming {
  /** @default 30 s */
  readonly beatIntervalMs?: number;
  /**
   * Longer than a program may be stopped or held up by whom it writes to; hosts that are gone are
   * found by the kernel's keep-alive within a minute. @default 15 min
   */
  readonly silenceLimitMs?: number;
  /** @default 1 s */
  readonly probeIntervalMs?: number;
}

/** Keeps a connection alive, and finds out when the other side is not. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #silenceLimitMs: number;
  readonly #probeIntervalMs: number;
  readonly #beats: NodeJS.Timeout;
  #probes: NodeJS.Timeout | undefined;
  #heardAtMs = performance.now();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#silenceLimitMs = options.timing?.silenceLimitMs ?? 15 * 60_000;
    this.#probeIntervalMs = options.timing?.probeIntervalMs ?? 1_000;
    this.#beats = setInterval(() => this.#beat(), options.timing?.beatIntervalMs ?? 30_000);
    this.#beats.unref();
  }

  /** Something came from the peer. */
  heard(): void {
    this.#heardAtMs = performance.now();
  }

  /** Nothing is read from now. The peer is asked nothing: its answer could hold it up. */
  pause(): void {
    this.#probes ??= setInterval(this.#options.probe, this.#probeIntervalMs).unref();
  }

  resume(): void {
    clearInterval(this.#probes);
    this.#probes = undefined;
    this.heard();
  }

  stop(): void {
    clearInterval(this.#beats);
    clearInterval(this.#probes);
  }

  #beat(): void {
    if (this.#probes !== undefined) return;
    if (performance.now() - this.#heardAtMs > this.#silenceLimitMs) this.#options.lost();
    else this.#options.beat();
  }
}
