import type { WebSocket } from 'ws';

/** What came in one frame: text, or bytes. */
export type SocketMessage = string | Buffer;

/** Bytes that may wait for their reader before the connection is read no further. */
const highWaterBytes = 1024 * 1024;
const lowWaterBytes = 256 * 1024;

/** How often the other end hears of this one while nothing is read from it. */
const signOfLifeMs = 10_000;

/**
 * Messages that have come and were not taken. While too much waits the connection is not read, and
 * the sender is held; pings are not answered then, so unasked pongs go out instead.
 */
export class SocketQueue {
  readonly #socket: Pick<WebSocket, 'pause' | 'resume' | 'pong'>;
  readonly #waiting: SocketMessage[] = [];
  #bytes = 0;
  #wake: (() => void) | undefined;
  #signOfLife: NodeJS.Timeout | undefined;
  #over = false;

  constructor(socket: Pick<WebSocket, 'pause' | 'resume' | 'pong'>) {
    this.#socket = socket;
  }

  /** True while the connection is read no further. */
  get paused(): boolean {
    return this.#signOfLife !== undefined;
  }

  push(message: SocketMessage): void {
    this.#waiting.push(message);
    this.#bytes += message.length;
    if (this.#bytes >= highWaterBytes && !this.paused && !this.#over) this.#pause();
    this.#wake?.();
  }

  /** Nothing comes any more; what waits can still be taken. */
  end(): void {
    this.#over = true;
    clearInterval(this.#signOfLife);
    this.#signOfLife = undefined;
    this.#wake?.();
  }

  /** The next message; undefined behind the last one. */
  async take(): Promise<SocketMessage | undefined> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) {
        this.#bytes -= message.length;
        if (this.paused && this.#bytes <= lowWaterBytes) this.#resume();
        return message;
      }
      if (this.#over) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #pause(): void {
    this.#socket.pause();
    this.#signOfLife = setInterval(() => this.#socket.pong(), signOfLifeMs);
  }

  #resume(): void {
    clearInterval(this.#signOfLife);
    this.#signOfLife = undefined;
    this.#socket.resume();
  }
}
