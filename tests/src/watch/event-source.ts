import { type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../harness/index.ts';

/** One event, as `created /a file`. */
export interface Told {
  readonly event: string;
  /** What one sends as `Last-Event-ID` to go on behind it. */
  readonly id?: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client of server-sent events that knows nothing of Sandport. */
export class EventSource implements Disposable {
  readonly told: Told[] = [];
  /** As `ready`, `created /a`, `renamed /b from /a`, `resync overflow`. */
  readonly texts: string[] = [];
  readonly ended: Promise<void>;
  readonly response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.response = response;
    this.ended = this.#read();
  }

  /** Resolves when the stream has begun. @throws Error with the answer when it is an error */
  static async open(
    api: Api,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<EventSource> {
    const authorization = { Authorization: `Bearer ${api.apiKey}` };
    const sent = request(api.url + path, { headers: { ...authorization, ...headers } });
    sent.on('error', () => {});
    sent.end();
    // The first argument of `response`.
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    if (response.statusCode === 200) return new EventSource(response);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer); // No encoding is set.
    throw new Error(`${response.statusCode} ${Buffer.concat(chunks)}`);
  }

  /** Resolves with the events up to the first that has this text. */
  async until(text: string, timeoutMs = 10_000): Promise<string[]> {
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const index = this.texts.indexOf(text);
      if (index !== -1) return this.texts.slice(0, index + 1);
      if (performance.now() > untilMs) {
        throw new Error(`"${text}" is not in ${this.texts.slice(0, 50).join(', ')}`);
      }
      await sleep(10);
    }
  }

  close(): void {
    this.response.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #read(): Promise<void> {
    let event = '';
    let id: string | undefined;
    try {
      for await (const line of createInterface({ input: this.response })) {
        if (line.startsWith('event: ')) event = line.slice(7);
        else if (line.startsWith('id: ')) id = line.slice(4);
        else if (line.startsWith('data: ')) {
          // The daemon sends objects only.
          const data = JSON.parse(line.slice(6)) as Told['data'];
          this.told.push({ event, data, id });
          this.texts.push(textOf({ event, data }));
        }
      }
    } catch {
      // The connection was cut.
    }
  }
}

function textOf({ event, data }: Told): string {
  const from = data['from'] === undefined ? [] : ['from', String(data['from'])];
  return [event, data['path'] ?? data['reason'] ?? [], ...from].flat().join(' ');
}
