import type { Engine, Principal } from '@sandport/engine';
import type { Exchange } from './exchange.ts';

/** How long what goes on may outlive its key, in milliseconds. */
const checkEveryMs = 10_000;

type Lasting = Pick<Exchange, 'request' | 'response'>;

/** Breaks the connection of a request that lasts when its key is not valid any more. */
export function endWhenRevoked(
  exchange: Lasting,
  { keyId }: Principal,
  { keys }: { readonly keys: Pick<Engine['keys'], 'principal'> },
): void {
  endUnless(exchange, () => keys.principal(keyId) !== undefined);
}

/** Breaks the connection of a request that lasts when what let it in does not hold any more. */
export function endUnless({ request, response }: Lasting, holds: () => boolean): void {
  const timer = setInterval(() => {
    if (!holds()) request.socket.destroy();
  }, checkEveryMs);
  timer.unref();
  response.once('close', () => clearInterval(timer));
}
