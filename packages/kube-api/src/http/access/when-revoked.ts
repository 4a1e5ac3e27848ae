import type { IncomingMessage } from 'node:http';
import type { ApiContext } from '../requests/exchange.ts';

const checkIntervalMs = 10_000;

/** Looks now and then whether the sender of a request that lasts is still known; if not, calls back. */
export function whenRevoked(
  { isKnown }: Pick<ApiContext, 'isKnown'>,
  request: IncomingMessage,
  revoked: () => void,
): Disposable {
  const timer = setInterval(() => {
    if (isKnown(request)) return;
    clearInterval(timer);
    revoked();
  }, checkIntervalMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
