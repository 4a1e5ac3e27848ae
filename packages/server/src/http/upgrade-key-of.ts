import { apiKeyOf } from './api-key-of.ts';
import type { Exchange } from './exchange.ts';
import type { Query } from './query.ts';

/** What a subprotocol begins with that carries a key. */
export const keyProtocolPrefix = 'bearer.';

/**
 * The key of a request for another protocol. Web pages can set no header on it, so it may also be
 * the subprotocol `bearer.KEY`, or `access_token` in the query.
 */
export function upgradeKeyOf({
  request,
  query,
}: {
  readonly request: Exchange['request'];
  readonly query: Pick<Query, 'get'>;
}): string | undefined {
  const offered = (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((each) => each.trim())
    .find((each) => each.startsWith(keyProtocolPrefix));
  return (
    apiKeyOf(request.headers) ??
    offered?.slice(keyProtocolPrefix.length) ??
    query.get('access_token')
  );
}
