import { createHash } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { Client } from '../client.ts';

export interface FakeExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Reads the body to its end. */
  body(): Promise<Buffer>;
  json(status: number, value: unknown, headers?: Record<string, string>): void;
}

export type FakeHandler = (exchange: FakeExchange) => void | Promise<void>;

/** A server whose faults a test can choose, where a real daemon has none to offer. */
export class FakeDaemon implements AsyncDisposable {
  /** Method and URL of every request, in the order they came. */
  readonly requests: string[];
  readonly client: Client;
  readonly url: string;
  readonly #server: http.Server;

  private constructor(server: http.Server, requests: string[], idleTimeoutMs: number) {
    this.#server = server;
    this.requests = requests;
    // A server that listens on TCP has an address of this kind.
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}`;
    this.client = new Client({ url: this.url, apiKey: 'test-key', idleTimeoutMs });
  }

  /** @param onSocket takes WebSockets; without it they are requests as others */
  static async start(
    handler: FakeHandler,
    idleTimeoutMs = 5000,
    onSocket?: (socket: WebSocket, request: IncomingMessage) => void,
  ): Promise<FakeDaemon> {
    const requests: string[] = [];
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      requests.push(`${request.method} ${request.url}`);
      void Promise.resolve(handler(exchangeOf(request, response))).catch(() =>
        request.socket.destroy(),
      );
    };
    const server = http.createServer(serve);
    server.on('checkContinue', serve);
    if (onSocket !== undefined) {
      const sockets = new WebSocketServer({ noServer: true });
      server.on('upgrade', (request, connection, head) => {
        requests.push(`${request.method} ${request.url}`);
        sockets.handleUpgrade(request, connection, head, (socket) => onSocket(socket, request));
      });
    }
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeDaemon(server, requests, idleTimeoutMs);
  }

  /** Number of connections that clients hold open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function exchangeOf(request: IncomingMessage, response: ServerResponse): FakeExchange {
  return {
    request,
    response,
    url: new URL(request.url ?? '/', 'http://fake'),
    async body() {
      if (request.headers.expect !== undefined) response.writeContinue();
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    json(status, value, headers = {}) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    },
  };
}

/** Value of a `Repr-Digest` field. */
export const digestField = (bytes: Uint8Array) =>
  `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

/** Resets a connection, so that the other side sees ECONNRESET. */
export function reset(socket: Socket): void {
  socket.resetAndDestroy();
}
