import { changePage } from '@sandport/engine';
import { maxPageEntries } from '@sandport/protocol';
import type { Route } from '../../http/router.ts';
import type { FilePlace } from './file-place.ts';
import { pathOf } from './path.ts';

/** What differs between a sandbox and its template, in pages. */
export const changesRoutes = (place: FilePlace): Route[] => [
  {
    method: 'GET',
    path: `${place.prefix}/changes`,
    handle: async (exchange) => {
      const path = pathOf(exchange, '/');
      const limit = exchange.query.integer('limit', { min: 1, max: maxPageEntries });
      const cursor = exchange.query.get('cursor');
      const files = await place.toLook(exchange);
      const page = await changePage(files, path, {
        ...(limit === undefined ? {} : { limit }),
        ...(cursor === undefined ? {} : { cursor }),
        signal: exchange.signal,
      });
      exchange.json(200, page);
    },
  },
];
