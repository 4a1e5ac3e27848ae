import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Engine, PreviewGrant, Principal } from '@sandport/engine';
import { type PortVisibility, sandboxIdSchema, SandportFault } from '@sandport/protocol';
import { pino } from 'pino';
import { HttpServer } from '../../server.ts';

/** What the program in the sandbox does with a connection. */
export type Program = (socket: Socket) => void;

export const sandbox = sandboxIdSchema.parse('8a88310b-1d7c-4bb7-ae1d-1cfa444de457');
export const apiKey = `sp_${'0123456789abcdef'.repeat(2)}`;
/** Of the signed links that there are. */
export const tokens = { all: 'all.signed', paths: 'paths.signed', other: 'other.signed' } as const;

const principal: Principal = { keyId: 'k' };

/** A server with one sandbox, whose port 3000 has the program of the test, and the others nothing. */
export class PreviewedProgram implements AsyncDisposable {
  readonly #guest: Server;
  readonly #server: HttpServer;
  /** Of the API, as `127.0.0.1:1234`. */
  host = '';
  program: Program = (socket) => socket.destroy();
  visibility: PortVisibility | undefined = 'private';
  /** What connections were made to. */
  readonly connected: string[] = [];

  constructor() {
    this.#guest = createServer((socket) => {
      socket.on('error', () => undefined);
      this.program(socket);
    });
    const grants: Readonly<Record<string, PreviewGrant | undefined>> = {
      [tokens.all]: grant([]),
      [tokens.paths]: grant(['/docs', '/a%20b/']),
      [tokens.other]: { ...grant([]), port: 3001 },
    };
    const engine = {
      held: { share: () => ({ [Symbol.dispose]: () => {} }) },
      keys: {
        authenticate: (key: string) => (key === apiKey ? principal : undefined),
        principal: () => principal,
      },
      ports: {
        isToken: (token: string) => token.endsWith('.signed'),
        open: (token: string) => {
          const found = grants[token];
          if (found === undefined)
            throw new SandportFault('preview_unauthorized', 'This link has expired.');
          return found;
        },
        visibility: () => this.visibility,
        connect: (_principal: Principal, id: string, port: number) => this.#connect(id, port),
      },
    };
    const logger = pino({ level: 'silent' });
    // Nothing else of the engine is used by these routes.
    this.#server = new HttpServer({ engine: engine as unknown as Engine, logger, version: '0' });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#guest.listen(0, '127.0.0.1', resolve));
    const { port } = await this.#server.listen('127.0.0.1', 0);
    this.host = `127.0.0.1:${port}`;
  }

  /** The program reads the head of a request and answers with these bytes. */
  answer(bytes: string): void {
    this.program = (socket) => {
      let seen = '';
      socket.on('data', (chunk) => {
        seen += chunk;
        if (seen.includes('\r\n\r\n')) socket.end(bytes);
      });
    };
  }

  /** Sends bytes, and resolves with all that came back when the connection is closed. */
  async raw(lines: readonly string[], body = ''): Promise<string> {
    const socket = this.open();
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    await once(socket, 'close');
    return text;
  }

  /** A request to the address of the port. */
  toHost(fields: readonly string[], target = '/', method = 'GET', body = ''): Promise<string> {
    const host = `Host: 3000-${sandbox}.localhost:1`;
    return this.raw([`${method} ${target} HTTP/1.1`, host, 'Connection: close', ...fields], body);
  }

  open(): Socket {
    const socket = connect(Number(this.host.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined);
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close(0);
    await new Promise<void>((resolve) => this.#guest.close(() => resolve()));
  }

  async #connect(id: string, port: number): Promise<Socket> {
    this.connected.push(`${id}:${port}`);
    if (port !== 3000) throw new SandportFault('port_not_open', `Nothing on ${port}.`, { port });
    // A TCP server's address is never a string.
    const socket = connect((this.#guest.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }
}

const grant = (paths: readonly string[]): PreviewGrant => ({
  principal,
  sandbox,
  port: 3000,
  paths,
  expiresAt: new Date(Date.now() + 60_000),
});

export const statusOf = (answer: string): number => Number(answer.split(' ', 2)[1]);
export const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
