import { once } from 'node:events';
import type { Exchange } from './exchange.ts';

const keepAliveMs = 15_000;

/** Sends a stream of events (text/event-stream), each with JSON data, and comments while quiet. */
export class ServerSentEvents implements Disposable {
  readonly #exchange: Exchange;
  readonly #timer: NodeJS.Timeout;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
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
    return once(response, 'drain', { signal }).then(() => undefined);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#exchange.response.end();
  }
}
