import type { Engine } from '@sandport/engine';
import type { Route } from '../../http/router.ts';
import { execRoutes } from './exec.ts';
import { keptRoutes, type KeptRoutesOptions } from './kept.ts';
import { socketRoutes, type SocketRoutesOptions } from './sockets/socket-routes.ts';

/** Commands: run to their end, kept, and over WebSockets. */
export const commandRoutes = (
  engine: Engine,
  options: KeptRoutesOptions & SocketRoutesOptions,
): Route[] => [
  ...execRoutes(engine),
  ...keptRoutes(engine, options),
  ...socketRoutes(engine, options),
];
