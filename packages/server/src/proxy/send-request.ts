import type { ClientRequest } from 'node:http';
import type { Exchange } from '../http/exchange.ts';
import { endToEndTrailers } from './fields.ts';

/** A server that does not answer `Expect: 100-continue` gets the body after this, in milliseconds. */
const continueTimeoutMs = 1_000;

/** After the answer, the rest of a body is read to nowhere for so long, in milliseconds. */
const lingerMs = 5_000;

/**
 * Streams the body of a request on. When the other side takes no more, the rest is read to nowhere,
 * so that the client gets the answer; when the client leaves in between, the other side is cut.
 * @param onData called with each piece of the body
 */
export function sendRequest(exchange: Exchange, outgoing: ClientRequest, onData: () => void): void {
  const { request, response } = exchange;
  // What breaks here breaks the answer, too.
  outgoing.on('error', () => undefined);
  const onGone = () => {
    if (!request.readableEnded) outgoing.destroy();
  };
  request.once('error', onGone).once('close', onGone);
  outgoing.once('close', () => {
    request.unpipe(outgoing).resume();
  });
  response.once('finish', () => {
    if (request.complete) return;
    const timer = setTimeout(() => request.destroy(), lingerMs);
    request.once('close', () => clearTimeout(timer));
  });
  const send = () => {
    exchange.takeBody();
    request.on('data', onData).pipe(outgoing, { end: false });
    request.once('end', () => {
      const trailers = endToEndTrailers(request);
      const isChunked = request.headers['transfer-encoding'] !== undefined;
      if (trailers.length > 0 && isChunked) outgoing.addTrailers(trailers);
      outgoing.end();
    });
  };
  if (exchange.bodyHeldBack) whenWanted(outgoing, send);
  else send();
}

/** Calls back when the other side asks for the body, or says nothing; not when it has answered. */
function whenWanted(outgoing: ClientRequest, send: () => void): void {
  const begin = () => {
    stop();
    send();
  };
  const timer = setTimeout(begin, continueTimeoutMs);
  const stop = () => {
    clearTimeout(timer);
    outgoing.off('continue', begin);
  };
  outgoing.once('continue', begin).once('response', stop).once('close', stop);
}
