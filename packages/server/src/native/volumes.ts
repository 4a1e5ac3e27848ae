import type { Engine } from '@sandport/engine';
import { namespaceSchema, volumeNameSchema } from '@sandport/protocol';
import { z } from 'zod';
import type { Exchange } from '../http/exchange.ts';
import { check, readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';

const createSchema = z.strictObject({
  name: volumeNameSchema,
  namespace: namespaceSchema.optional(),
});

const defaultNamespace = namespaceSchema.parse('default');

const namespaceOf = (exchange: Exchange) =>
  check(z.object({ namespace: namespaceSchema.default(defaultNamespace) }), {
    namespace: exchange.query.get('namespace'),
  }).namespace;

const nameOf = (exchange: Exchange) =>
  check(z.object({ name: volumeNameSchema }), { name: exchange.param('name') }).name;

/** Volumes: made, listed, looked up, deleted. */
export const volumeRoutes = (engine: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/volumes',
    handle: (exchange) =>
      exchange.json(
        200,
        engine.volumes.list(
          exchange.principal,
          exchange.query.get('namespace') === undefined ? undefined : namespaceOf(exchange),
        ),
      ),
  },
  {
    method: 'POST',
    path: '/v1/volumes',
    handle: async (exchange) => {
      const { name, namespace } = await readJson(exchange, createSchema);
      exchange.json(
        201,
        await engine.volumes.create(exchange.principal, namespace ?? defaultNamespace, name),
      );
    },
  },
  {
    method: 'GET',
    path: '/v1/volumes/:name',
    handle: (exchange) =>
      exchange.json(
        200,
        engine.volumes.get(exchange.principal, namespaceOf(exchange), nameOf(exchange)),
      ),
  },
  {
    method: 'DELETE',
    path: '/v1/volumes/:name',
    handle: async (exchange) => {
      await engine.volumes.remove(exchange.principal, namespaceOf(exchange), nameOf(exchange));
      exchange.empty();
    },
  },
];
