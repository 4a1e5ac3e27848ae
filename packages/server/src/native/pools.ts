import type { Engine } from '@sandport/engine';
import { type Isolation, isolationSchema, setPoolSchema } from '@sandport/protocol';
import { z } from 'zod';
import type { Exchange } from '../http/exchange.ts';
import { check, readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';

const pool = '/v1/pools/:template';

/** Pools of sandboxes that are made ahead, for administrators. */
export const poolRoutes = ({ pools }: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/pools',
    handle: (exchange) => exchange.json(200, pools.list(exchange.principal)),
  },
  {
    method: 'GET',
    path: pool,
    handle: (exchange) => {
      const { principal } = exchange;
      exchange.json(200, pools.get(principal, exchange.param('template'), isolationOf(exchange)));
    },
  },
  {
    method: 'PUT',
    path: pool,
    handle: async (exchange) => {
      const request = await readJson(exchange, setPoolSchema);
      const { principal } = exchange;
      exchange.json(200, await pools.set(principal, exchange.param('template'), request));
    },
  },
  {
    method: 'DELETE',
    path: pool,
    handle: (exchange) => {
      pools.remove(exchange.principal, exchange.param('template'), isolationOf(exchange));
      exchange.empty();
    },
  },
];

const querySchema = z.object({ isolation: isolationSchema.optional() });

const isolationOf = ({ query }: Exchange): Isolation | undefined =>
  check(querySchema, { isolation: query.get('isolation') }).isolation;
