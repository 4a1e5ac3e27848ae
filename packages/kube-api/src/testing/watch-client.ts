import { get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** One line of a watch, as tests look at it. */
export interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly kind?: string;
    readonly code?: number;
    readonly reason?: string;
    readonly apiVersion?: string;
    readonly metadata: {
      readonly name: string;
      readonly resourceVersion: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec?: Readonly<Record<string, unknown>>;
    readonly [field: string]: unknown;
  };
}

/** A watch as a client has it. */
export class WatchClient implements Disposable {
  readonly response: IncomingMessage;
  readonly events: WatchEvent[] = [];
  /** The server has ended the answer, or the connection. */
  readonly ended: Promise<unknown>;
  #told = () => {};

  constructor(response: IncomingMessage) {
    this.response = response;
    this.ended = once(response, 'close');
    response.on('error', () => {});
    const lines = createInterface({ input: response });
    lines.on('error', () => {});
    lines.on('line', (line) => {
      // The server under test writes nothing else.
      this.events.push(JSON.parse(line) as WatchEvent);
      this.#told();
    });
    response.on('close', () => this.#told());
  }

  static async open(url: string, headers: Readonly<Record<string, string>> = {}) {
    const request = get(url, { headers, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return new WatchClient(response);
  }

  /** As soon as there are so many events. */
  async until(count: number, timeoutMs = 20_000): Promise<readonly WatchEvent[]> {
    const deadline = Date.now() + timeoutMs;
    while (this.events.length < count) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${this.events.length} events of ${count}: ${this.types}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#told = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.events;
  }

  /** As `ADDED one, MODIFIED one`. */
  get types(): string {
    return this.events.map(({ type, object }) => `${type} ${object.metadata.name}`).join(', ');
  }

  [Symbol.dispose](): void {
    this.response.destroy();
  }
}
