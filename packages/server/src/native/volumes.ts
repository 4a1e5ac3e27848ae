import { defaultNamespace, type Engine } from '@sandport/engine';
import { createVolumeSchema, namespaceSchema } from '@sandport/protocol';
import { z } from 'zod';
import { check, readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';
import { volumeOf } from './volume-of.ts';

/** Volumes: made, listed, looked up, deleted. */
export const volumeRoutes = (engine: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/volumes',
    handle: (exchange) => {
      const { namespace } = check(z.object({ namespace: namespaceSchema.optional() }), {
        namespace: exchange.query.get('namespace'),
      });
      exchange.json(200, engine.volumes.list(exchange.principal, namespace));
    },
  },
  {
    method: 'POST',
    path: '/v1/volumes',
    handle: async (exchange) => {
      const { namespace = defaultNamespace, ...request } = await readJson(
        exchange,
        createVolumeSchema,
      );
      exchange.json(201, await engine.volumes.create(exchange.principal, namespace, request));
    },
  },
  {
    method: 'GET',
    path: '/v1/volumes/:name',
    handle: async (exchange) => {
      const { namespace, name } = volumeOf(exchange);
      exchange.json(200, await engine.volumes.get(exchange.principal, namespace, name));
    },
  },
  {
    method: 'DELETE',
    path: '/v1/volumes/:name',
    handle: async (exchange) => {
      const { namespace, name } = volumeOf(exchange);
      await engine.volumes.remove(exchange.principal, namespace, name);
      exchange.empty();
    },
  },
];
