import type { Engine } from '@sandport/engine';
import { setNamespaceNetworkSchema } from '@sandport/protocol';
import { readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';
import { namespaceOf } from './namespace-of.ts';

const network = '/v1/namespaces/:namespace/network';

/** What sandboxes of namespaces may reach: looked up by those who may use them, set by administrators. */
export const namespaceNetworkRoutes = ({ networks }: Engine): Route[] => [
  {
    method: 'GET',
    path: network,
    handle: (exchange) =>
      exchange.json(200, networks.get(exchange.principal, namespaceOf(exchange))),
  },
  {
    method: 'PUT',
    path: network,
    handle: async (exchange) => {
      const request = await readJson(exchange, setNamespaceNetworkSchema);
      exchange.json(200, await networks.set(exchange.principal, namespaceOf(exchange), request));
    },
  },
];
