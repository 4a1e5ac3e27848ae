import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Serves a request that asks for another protocol as the plain one that it is, too: a server may
 * ignore `Upgrade`, and clients that offer HTTP/2 this way rely on it. Node has taken the connection
 * from its parser by then; so it begins anew with the same request without the offer.
 */
export function ignoreUpgrade(
  server: Server,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const { method = 'GET', url = '/', httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (offers.has(name.toLowerCase())) continue;
    const value = rawHeaders[index + 1] ?? '';
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutOffers(value) : value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

const offers = new Set(['upgrade', 'http2-settings']);

const withoutOffers = (connection: string): string =>
  connection
    .split(',')
    .filter((each) => !offers.has(each.trim().toLowerCase()))
    .join(',');
