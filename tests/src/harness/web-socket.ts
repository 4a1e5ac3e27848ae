import { once } from 'node:events';
import { type ClientOptions, type RawData, WebSocket } from 'ws';
import type { Api } from './api.ts';
import { waitFor } from './wait-for.ts';

export interface OpenWebSocketOptions extends ClientOptions {
  /** Of the connection. @default none */
  readonly subprotocols?: readonly string[];
  /** Send the key in a header. @default true */
  readonly withKey?: boolean;
}

type Message = Readonly<Record<string, unknown>>;

/** A client of WebSockets that collects what comes. */
export class TestWebSocket implements Disposable {
  /** Text messages, which are JSON. */
  readonly messages: Message[] = [];
  /** Binary messages in one, as text. */
  shown = '';
  readonly socket: WebSocket;
  /** The code that it was closed with. */
  readonly closed: Promise<number>;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, isBinary) => {
      const bytes = asBuffer(data);
      if (isBinary) this.shown += bytes.toString('latin1');
      // The daemon sends objects only.
      else this.messages.push(JSON.parse(bytes.toString()) as Message);
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** @throws Error with status and body when the daemon answers otherwise */
  static async open(
    api: Api,
    path: string,
    { subprotocols = [], withKey = true, ...options }: OpenWebSocketOptions = {},
  ): Promise<TestWebSocket> {
    const authorization = withKey ? { Authorization: `Bearer ${api.apiKey}` } : {};
    const headers = { ...authorization, ...options.headers };
    const url = api.url.replace('http', 'ws') + path;
    const socket = new WebSocket(url, [...subprotocols], { ...options, headers });
    const opened = new TestWebSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk) => (body += String(chunk)));
        response.on('end', () => reject(new Error(`${response.statusCode} ${body}`)));
      });
    });
    return opened;
  }

  send(message: Message | string | Buffer): void {
    const isRaw = typeof message === 'string' || Buffer.isBuffer(message);
    this.socket.send(isRaw ? message : JSON.stringify(message));
  }

  /** The first message that has all these fields. */
  when(fields: Message): Promise<Message> {
    const wanted = Object.entries(fields);
    const look = () =>
      this.messages.find((each) => wanted.every(([name, value]) => each[name] === value));
    const what = () => `${JSON.stringify(fields)} among ${JSON.stringify(this.messages.slice(-5))}`;
    return waitFor(look, { what: what() });
  }

  /** The output of one command, both streams. */
  outputOf(id: string | number): string {
    const own = this.messages.filter((each) => each['id'] === id && 'stream' in each);
    return own.map((each) => String(each['data'])).join('');
  }

  whenShown(text: string): Promise<true> {
    return waitFor(() => this.shown.includes(text), { what: `${text} on the terminal` });
  }

  async close(): Promise<void> {
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
