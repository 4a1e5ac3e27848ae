import type { Engine } from '@sandport/engine';
import type { Route } from '../http/router.ts';

const longestHistorySeconds = 86_400;

/** What a sandbox uses. */
export const metricsRoutes = ({ metrics }: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/sandboxes/:id/metrics',
    handle: async (exchange) => {
      const bounds = { min: 0, max: longestHistorySeconds };
      const historySeconds = exchange.query.integer('history', bounds);
      const id = exchange.param('id');
      exchange.json(200, await metrics.get(exchange.principal, id, historySeconds));
    },
  },
];
