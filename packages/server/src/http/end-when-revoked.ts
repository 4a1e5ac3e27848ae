import type { Engine, Principal } from '@sandport/engine';
import type { Exchange } from './exchange.ts';

/** How long what goes on may outlive its key, in milliseconds. */
const checkEveryMs = 10_000;

/** Breaks the connection of a request that lasts when its key is not valid any more. */
export function endWhenRevoked(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  { keyId }: Principal,
  { keys }: { readonly keys: Pick<Engine['keys'], 'principal'> },
): void {
  const timer = setInterval(() => {
    if (keys.principal(keyId) === undefined) request.socket.destroy();
  }, checkEveryMs);
  timer.unref();
  response.once('close', () => clearInterval(timer));
}
