import { type GuestPath, parseGuestPath, SandportFault } from '@sandport/protocol';
import type { SandboxFiles } from '@sandport/driver';
import type { Engine } from '@sandport/engine';
import type { Exchange } from '../../http/exchange.ts';

/** The `path` of the query. @throws SandportFault `invalid_path` */
export function pathOf(exchange: Exchange, fallback?: string): GuestPath {
  const path = exchange.query.get('path') ?? fallback;
  if (path === undefined)
    throw new SandportFault('invalid_path', 'The query has no `path`.', { path: '' });
  return parseGuestPath(path);
}

/** Files of the sandbox in the route, for requests that only look. */
export const filesToRead = (exchange: Exchange, engine: Engine): Promise<SandboxFiles> =>
  engine.files.reading(exchange.principal, exchange.param('id'));

/** Files of the sandbox in the route, for requests that change something. */
export const filesToWrite = (exchange: Exchange, engine: Engine): Promise<SandboxFiles> =>
  engine.files.writing(exchange.principal, exchange.param('id'));
