import { changePage, type Engine } from '@sandport/engine';
import { maxPageEntries } from '@sandport/protocol';
import type { Route } from '../../http/router.ts';
import { filesToRead, pathOf } from './path.ts';

/** What differs between a sandbox and its template, in pages. */
export const changesRoutes = (engine: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/sandboxes/:id/fs/changes',
    handle: async (exchange) => {
      const path = pathOf(exchange, '/');
      const limit = exchange.query.integer('limit', { min: 1, max: maxPageEntries });
      const cursor = exchange.query.get('cursor');
      const files = await filesToRead(exchange, engine);
      const page = await changePage(files, path, {
        ...(limit === undefined ? {} : { limit }),
        ...(cursor === undefined ? {} : { cursor }),
        signal: exchange.signal,
      });
      exchange.json(200, page);
    },
  },
];
