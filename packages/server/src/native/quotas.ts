import type { Engine } from '@sandport/engine';
import { setQuotaSchema } from '@sandport/protocol';
import { readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';
import { namespaceOf } from './namespace-of.ts';

const quota = '/v1/namespaces/:namespace/quota';

/** Shares of namespaces: looked up by those who may use them, set by administrators. */
export const quotaRoutes = ({ quotas }: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/namespaces',
    handle: (exchange) => exchange.json(200, quotas.list(exchange.principal)),
  },
  {
    method: 'GET',
    path: quota,
    handle: (exchange) => exchange.json(200, quotas.get(exchange.principal, namespaceOf(exchange))),
  },
  {
    method: 'PUT',
    path: quota,
    handle: async (exchange) => {
      const request = await readJson(exchange, setQuotaSchema);
      exchange.json(200, quotas.set(exchange.principal, namespaceOf(exchange), request));
    },
  },
];
