import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Upgrade } from '../http/upgrade.ts';
import { clientListens } from '../http/web-socket/client-listens.ts';
import { keepAlive } from '../http/web-socket/keep-alive.ts';

/** A client that sends a larger message is disconnected, with code 1009. */
const maxMessageBytes = 1024 * 1024;
/** Of what the client has not taken; more is not read from the sandbox. */
const maxWaitingBytes = 1024 * 1024;
/** When both directions have ended, what the program has not read yet is held for so long. */
const deliverTimeoutMs = 60_000;

/** The one text message: this side sends nothing more, and goes on reading. */
const endOfFile = '{"eof":true}';

/**
 * Takes a WebSocket over whose binary messages are the bytes of a TCP connection, both ways. The
 * message `{"eof":true}` ends one direction. Resolves when all is over.
 */
export async function serveTunnel(
  { exchange, socket, head }: Upgrade,
  connection: Duplex,
): Promise<void> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    // A key may stand there: it is not sent back.
    handleProtocols: () => false,
  });
  let isJoined = false;
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    server.handleUpgrade(exchange.request, socket, head, (client) => {
      isJoined = true;
      join(client, connection);
    });
  });
  if (!isJoined) connection.destroy();
}

function join(client: WebSocket, connection: Duplex): void {
  keepAlive(client);
  client.on('message', (data, isBinary) => {
    if (connection.destroyed) return;
    if (isBinary) {
      if (connection.write(bytesOf(data))) return;
      client.pause();
      connection.once('drain', () => client.resume());
    } else if (bytesOf(data).toString() === endOfFile) connection.end();
    else client.close(1003, 'Messages must be binary.');
  });
  client.on('error', () => client.terminate());
  client.once('close', (closeCode) => {
    const isEnded = connection.writableEnded && connection.readableEnded;
    if (closeCode === 1000 && isEnded) destroyLate(connection);
    else connection.destroy();
  });
  const pass = (bytes: Buffer) => {
    client.send(bytes, () => {
      if (client.bufferedAmount < maxWaitingBytes) connection.resume();
    });
    if (client.bufferedAmount >= maxWaitingBytes) connection.pause();
  };
  // Servers of some protocols speak first.
  void clientListens(client).then(() => connection.on('data', pass));
  connection.once('end', () => client.send(endOfFile, () => undefined));
  let code = 1000;
  connection.on('error', () => {
    code = 1011;
  });
  connection.once('close', () => {
    client.resume();
    const close = () => {
      if (code === 1000) client.close(code);
      else client.close(code, 'The connection in the sandbox broke.');
    };
    // Behind what waits to be sent, however slow the client is: closing has a time limit.
    client.ping(undefined, false, close);
  });
  if (connection.destroyed) client.terminate();
}

/** It closes by itself when the program has read all. */
function destroyLate(connection: Duplex): void {
  const timer = setTimeout(() => connection.destroy(), deliverTimeoutMs).unref();
  connection.once('close', () => clearTimeout(timer));
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
