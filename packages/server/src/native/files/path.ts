import { type GuestPath, parseGuestPath, SandportFault } from '@sandport/protocol';
import type { Exchange } from '../../http/exchange.ts';

/** The `path` of the query. @throws SandportFault `invalid_path` */
export function pathOf(exchange: Exchange, fallback?: string): GuestPath {
  const path = exchange.query.get('path') ?? fallback;
  if (path === undefined)
    throw new SandportFault('invalid_path', 'The query has no `path`.', { path: '' });
  return parseGuestPath(path);
}
