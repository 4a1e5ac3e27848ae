import type { Engine } from '@sandport/engine';
import { createKeySchema } from '@sandport/protocol';
import { readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';

/** API keys, for administrators. */
export const keyRoutes = (engine: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/keys',
    handle: (exchange) => exchange.json(200, engine.keys.list(exchange.principal)),
  },
  {
    method: 'POST',
    path: '/v1/keys',
    handle: async (exchange) => {
      const request = await readJson(exchange, createKeySchema);
      exchange.json(201, engine.keys.create(exchange.principal, request));
    },
  },
  {
    method: 'DELETE',
    path: '/v1/keys/:id',
    handle: (exchange) => {
      engine.keys.remove(exchange.principal, exchange.param('id'));
      exchange.empty();
    },
  },
];
