import type { Socket } from 'node:net';

export interface WaitingRoomOptions {
  /** Connections that may be on their way to log in; the next one pushes the oldest out. @default 256 */
  readonly maxWaiting?: number;
  /** So long one may take to log in, in milliseconds. @default 30,000 */
  readonly timeoutMs?: number;
}

/** Bounds connections that have not logged in, in number and in time. */
export class WaitingRoom {
  readonly #maxWaiting: number;
  readonly #timeoutMs: number;
  /** In the order in which they came. */
  readonly #waiting = new Map<Socket, NodeJS.Timeout>();

  constructor({ maxWaiting = 256, timeoutMs = 30_000 }: WaitingRoomOptions = {}) {
    this.#maxWaiting = maxWaiting;
    this.#timeoutMs = timeoutMs;
  }

  /** From now on the connection has to log in. */
  enter(socket: Socket): void {
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs);
    this.#waiting.set(socket, timer);
    socket.once('close', () => this.leave(socket));
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > this.#maxWaiting) oldest?.destroy();
  }

  /** The connection has logged in, or is gone. */
  leave(socket: Socket): void {
    clearTimeout(this.#waiting.get(socket));
    this.#waiting.delete(socket);
  }

  get size(): number {
    return this.#waiting.size;
  }
}
