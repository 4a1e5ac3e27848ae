import type { WebSocket } from 'ws';

/** Holds the reading of a connection for as long as there is a reason to. */
export class ReadGate {
  readonly #webSocket: WebSocket;
  readonly #reasons = new Set<object>();

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
  }

  /** Holds it, or no longer does, for this reason. */
  set(reason: object, holds: boolean): void {
    if (holds) this.#reasons.add(reason);
    else this.#reasons.delete(reason);
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    if (this.#reasons.size > 0) this.#webSocket.pause();
    else this.#webSocket.resume();
  }

  /** Holds it until an answer is out: who asks without reading answers is not heard on. */
  async until(answered: Promise<void> | undefined): Promise<void> {
    if (answered === undefined) return;
    const reason = {};
    this.set(reason, true);
    await answered;
    this.set(reason, false);
  }
}
