import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { noticeDeadClient } from './dead-client.ts';
import { BadAnswerError, type Destination, openRequest } from './destination.ts';
import type { Fields } from './fields.ts';

export interface UpgradingClient {
  readonly request: IncomingMessage;
  /** The client's connection, and what it has sent after the request. */
  readonly socket: Duplex;
  readonly head: Buffer;
}

/**
 * Leads an upgrade to a program in a sandbox. When that agrees, the bytes of both sides are passed
 * on until one of them ends, however long nothing moves; any other answer is passed on as it is.
 * @throws BadAnswerError, and what `connect` throws; nothing was written to the client then
 */
export async function proxyUpgrade(
  { request, socket, head }: UpgradingClient,
  destination: Destination,
): Promise<void> {
  const connection = await destination.connect();
  try {
    if (socket.destroyed) return;
    socket.once('close', () => connection.destroy());
    const { answer, rest } = await agree(request, destination, connection);
    const isAgreed = answer.statusCode === 101;
    socket.write(headOf(answer, destination.answerFields(answer), isAgreed), 'latin1');
    if (!isAgreed) {
      answer.pipe(socket);
      await closed(answer);
      socket.end(() => socket.destroy());
      return;
    }
    socket.write(rest);
    connection.write(head);
    await join(socket, connection);
  } finally {
    connection.destroy();
  }
}

/** Passes the bytes of two connections on to each other until both directions or one side ended. */
export async function join(socket: Duplex, connection: Duplex): Promise<void> {
  noticeDeadClient(socket);
  if (socket instanceof Socket) socket.setNoDelay(true);
  connection.on('error', () => connection.destroy());
  socket.on('error', () => socket.destroy());
  socket.once('close', () => connection.destroy());
  socket.pipe(connection);
  connection.pipe(socket);
  await closed(connection);
  socket.end(() => socket.destroy());
}

interface Agreement {
  readonly answer: IncomingMessage;
  /** What the program has sent after its answer. */
  readonly rest: Buffer;
}

function agree(
  request: IncomingMessage,
  destination: Destination,
  connection: Duplex,
): Promise<Agreement> {
  return new Promise((resolve, reject) => {
    const outgoing = openRequest(request.method, destination, connection, [
      ['Connection', 'Upgrade'],
      ['Upgrade', request.headers.upgrade ?? 'websocket'],
    ]);
    const timer = setTimeout(() => outgoing.destroy(), destination.answerTimeoutMs);
    const fail = () => {
      clearTimeout(timer);
      reject(new BadAnswerError('no answer in HTTP'));
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
function headOf(answer: IncomingMessage, fields: Fields, isAgreed: boolean): string {
  const { statusCode = 502, statusMessage = STATUS_CODES[statusCode] } = answer;
  const connection: Fields = isAgreed
    ? [
        ['Connection', 'Upgrade'],
        ['Upgrade', answer.headers.upgrade ?? ''],
      ]
    : [...lengthOf(answer), ['Connection', 'close']];
  const lines = [...fields, ...connection].map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`;
}

/** So that the client sees whether the whole body has come. */
function lengthOf({ headers }: IncomingMessage): Fields {
  const length = headers['content-length'];
  return length === undefined ? [] : [['Content-Length', length]];
}

const closed = (stream: Readable): Promise<void> =>
  new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
