import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { unreachable } from '../runtimes/answers.ts';
import type { LocatedSandbox } from '../sandboxes/sandbox-directory.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { maxAnswerHeadBytes } from './proxy-request.ts';

export interface ProxiedUpgrade {
  readonly request: IncomingMessage;
  /** The client's connection, and what it has sent after the request. */
  readonly socket: Duplex;
  readonly head: Buffer;
  /** @throws Refusal when nothing listens there */
  readonly connect: () => Promise<Duplex>;
  readonly sandbox: Pick<LocatedSandbox, 'name'>;
  readonly port: number;
}

/** How long a program may take to agree, in milliseconds. */
const answerTimeoutMs = 30_000;
/** A connection on which nothing moves for so long is cut, in milliseconds. */
const idleTimeoutMs = 3_600_000;
/** Longest life of a connection, in milliseconds. */
const lifeTimeoutMs = 86_400_000;

/**
 * Leads an upgrade to a program in a sandbox. When that agrees, the bytes of both sides are passed
 * on until one of them ends; any other answer is passed on as it is.
 * @throws Refusal 502
 */
export async function proxyUpgrade(proxied: ProxiedUpgrade): Promise<void> {
  const { socket, head, connect } = proxied;
  const connection = await connect();
  try {
    if (socket.destroyed) return;
    socket.once('close', () => connection.destroy());
    const { answer, rest } = await agree(proxied, connection);
    const isAgreed = answer.statusCode === 101;
    socket.write(headOf(answer, isAgreed));
    if (!isAgreed) {
      answer.pipe(socket);
      await closed(answer);
      return;
    }
    connection.on('error', () => connection.destroy());
    socket.write(rest);
    connection.write(head);
    const life = setTimeout(() => connection.destroy(), lifeTimeoutMs).unref();
    const idle = setTimeout(() => connection.destroy(), idleTimeoutMs).unref();
    for (const side of [socket, connection]) side.on('data', () => idle.refresh());
    socket.pipe(connection);
    connection.pipe(socket);
    await closed(connection);
    clearTimeout(life);
    clearTimeout(idle);
    socket.end(() => socket.destroy());
  } finally {
    connection.destroy();
  }
}

interface Agreement {
  readonly answer: IncomingMessage;
  /** What the program has sent after its answer. */
  readonly rest: Buffer;
}

function agree({ request, port, sandbox }: ProxiedUpgrade, connection: Duplex): Promise<Agreement> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      // Node takes any stream for a socket here.
      createConnection: () => connection as Socket,
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: [
        'Host',
        `127.0.0.1:${port}`,
        ...forwardedHeaders(request),
        'Connection',
        'Upgrade',
        'Upgrade',
        request.headers.upgrade ?? 'websocket',
      ],
      setHost: false,
      maxHeaderSize: maxAnswerHeadBytes,
      insecureHTTPParser: false,
    });
    const timer = setTimeout(() => outgoing.destroy(), answerTimeoutMs);
    const fail = () => {
      clearTimeout(timer);
      reject(unreachable(sandbox.name));
    };
    const take = (answer: IncomingMessage, rest: Buffer) => {
      clearTimeout(timer);
      answer.on('error', () => undefined);
      resolve({ answer, rest });
    };
    outgoing.once('upgrade', (answer, _socket, rest) => take(answer, rest));
    outgoing.once('response', (answer) => take(answer, Buffer.alloc(0)));
    outgoing.on('information', fail).on('error', fail).once('close', fail);
    outgoing.end();
  });
}

/** The head of an answer, as it is passed on. */
function headOf(answer: IncomingMessage, isAgreed: boolean): string {
  const fields = forwardedHeaders(answer);
  if (isAgreed) fields.push('Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade ?? '');
  else fields.push('Connection', 'close');
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let index = 0; index + 1 < fields.length; index += 2)
    lines.push(`${fields[index]}: ${fields[index + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const closed = (stream: Readable): Promise<void> =>
  new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
