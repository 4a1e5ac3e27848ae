import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import { apiKeyOf } from './api-key-of.ts';
import type { Exchange } from './exchange.ts';

/**
 * Finds out who asks.
 * @param apiKey by default that of `Authorization: Bearer KEY` or `X-API-Key: KEY`
 * @throws SandportFault `unauthorized`
 */
export function authenticate(
  exchange: Exchange,
  engine: Engine,
  apiKey = apiKeyOf(exchange.request.headers),
): void {
  if (apiKey === undefined)
    throw new SandportFault(
      'unauthorized',
      'The request carries no API key; send Authorization: Bearer KEY, or X-API-Key: KEY.',
    );
  const principal = engine.keys.authenticate(apiKey);
  if (principal === undefined) throw new SandportFault('unauthorized', 'The API key is not valid.');
  exchange.principal = principal;
  const held = engine.held.share(principal);
  exchange.held = held;
  exchange.hold(held);
}
