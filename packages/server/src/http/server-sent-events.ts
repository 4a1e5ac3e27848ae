import { once } from 'node:events';
import type { Exchange } from './exchange.ts';

const keepAliveMs = 15_000;

export interface ServerSentEventsOptions {
  /** A client that takes nothing for so long is cut off, in milliseconds. @default never */
  readonly takeTimeoutMs?: number;
}

/** Sends a stream of events (text/event-stream), each with JSON data, and comments while quiet. */
export class ServerSentEvents implements Disposable {
  readonly #exchange: Exchange;
  readonly #options: ServerSentEventsOptions;
  readonly #timer: NodeJS.Timeout;

  constructor(exchange: Exchange, options: ServerSentEventsOptions = {}) {
    this.#exchange = exchange;
    this.#options = options;
    exchange.response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    exchange.response.flushHeaders();
    this.#timer = setInterval(() => exchange.response.write(': keep-alive\n\n'), keepAliveMs);
  }

  /**
   * Resolves, with nothing when the client keeps up, once it has room for more.
   * @param id what a client that comes back sends as `Last-Event-ID`
   */
  send(event: string, data: unknown, id?: number | string): Promise<void> | undefined {
    const { response, signal } = this.#exchange;
    if (response.destroyed) return undefined;
    const fields = id === undefined ? '' : `id: ${id}\n`;
    const text = `${fields}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    if (response.write(text)) return undefined;
    const { takeTimeoutMs } = this.#options;
    const { socket } = response;
    // Refreshed by whatever of it is taken.
    const cut = () => response.destroy();
    if (takeTimeoutMs !== undefined) socket?.setTimeout(takeTimeoutMs, cut);
    return once(response, 'drain', { signal })
      .then(() => undefined)
      .finally(() => {
        if (takeTimeoutMs !== undefined) socket?.setTimeout(0, cut);
      });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#exchange.response.end();
  }
}
