import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** How long the rest of a refused body is read and thrown away, so that the answer arrives. */
const lingerMs = 5_000;

export interface Refusal {
  readonly status: number;
  /** JSON. */
  readonly body: unknown;
  readonly headers?: OutgoingHttpHeaders;
  /** The client holds its body back (`Expect: 100-continue`). @default false */
  readonly bodyHeldBack?: boolean;
}

/**
 * Answers with an error. A body that the client is still sending is read to nowhere for a while:
 * closing at once would reset the connection and the client would never see the answer.
 */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const text = Buffer.from(JSON.stringify(refusal.body));
  const bodyPending = !request.complete && !request.destroyed;
  response.writeHead(refusal.status, {
    'Content-Type': 'application/json',
    'Content-Length': text.length,
    ...refusal.headers,
    ...(bodyPending ? { Connection: 'close' } : {}),
  });
  const body = request.method === 'HEAD' ? undefined : text;
  if (!bodyPending || refusal.bodyHeldBack === true) {
    response.end(body);
    return;
  }
  if (body !== undefined) response.write(body);
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, lingerMs);
  request.once('end', finish).once('close', finish).once('error', finish);
  request.resume();
}
