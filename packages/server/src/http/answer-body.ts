import type { Exchange } from './exchange.ts';

/** How long the rest of a refused body is read and thrown away, so that the answer arrives. */
const lingerMs = 5_000;

/**
 * Answers with JSON, also before the body of the request has come: what the client is still sending
 * is read to nowhere for a while, as closing at once would reset the connection and the client would
 * never see the answer. When the head of another answer is out, the connection is broken.
 */
export function answerBody(
  exchange: Pick<Exchange, 'request' | 'response' | 'bodyHeldBack'>,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { request, response } = exchange;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = Buffer.from(JSON.stringify(body));
  const bodyPending = !request.complete && !request.destroyed;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': text.length,
    ...headers,
    ...(bodyPending ? { Connection: 'close' } : {}),
  });
  const shown = request.method === 'HEAD' ? undefined : text;
  if (!bodyPending || exchange.bodyHeldBack) {
    response.end(shown);
    return;
  }
  if (shown !== undefined) response.write(shown);
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, lingerMs);
  request.once('end', finish).once('close', finish).once('error', finish);
  request.resume();
}
