import type { Engine } from '@sandport/engine';
import { type Namespace, namespaceSchema, setQuotaSchema } from '@sandport/protocol';
import { z } from 'zod';
import type { Exchange } from '../http/exchange.ts';
import { check, readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';

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

const paramSchema = z.object({ namespace: namespaceSchema });

const namespaceOf = (exchange: Exchange): Namespace =>
  check(paramSchema, { namespace: exchange.param('namespace') }).namespace;
