import type { Engine } from '@sandport/engine';
import { createSnapshotSchema, namespaceSchema, restoreSchema } from '@sandport/protocol';
import { z } from 'zod';
import { check, readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';

const listSchema = z.object({
  namespace: namespaceSchema.optional(),
  sandbox: z.string().max(64).optional(),
});

/** Snapshots: made, listed, looked up, restored, deleted. */
export const snapshotRoutes = (engine: Engine): Route[] => [
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/snapshots',
    handle: async (exchange) => {
      const request = await readJson(exchange, createSnapshotSchema);
      const { principal, signal } = exchange;
      const id = exchange.param('id');
      const snapshot = await engine.snapshots.create(principal, id, request, { signal });
      exchange.json(201, snapshot, { Location: `/v1/snapshots/${snapshot.id}` });
    },
  },
  {
    method: 'GET',
    path: '/v1/sandboxes/:id/snapshots',
    handle: (exchange) =>
      exchange.json(200, engine.snapshots.ofSandbox(exchange.principal, exchange.param('id'))),
  },
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/restore',
    handle: async (exchange) => {
      const { snapshot } = await readJson(exchange, restoreSchema);
      const { principal } = exchange;
      exchange.json(200, await engine.snapshots.restore(principal, exchange.param('id'), snapshot));
    },
  },
  {
    method: 'GET',
    path: '/v1/snapshots',
    handle: (exchange) => {
      const { query, principal } = exchange;
      const filter = check(listSchema, {
        namespace: query.get('namespace'),
        sandbox: query.get('sandbox') ?? query.get('sandbox_id'),
      });
      exchange.json(200, engine.snapshots.list(principal, filter));
    },
  },
  {
    method: 'GET',
    path: '/v1/snapshots/:snapshot',
    handle: (exchange) =>
      exchange.json(200, engine.snapshots.get(exchange.principal, exchange.param('snapshot'))),
  },
  {
    method: 'DELETE',
    path: '/v1/snapshots/:snapshot',
    handle: async (exchange) => {
      await engine.snapshots.remove(exchange.principal, exchange.param('snapshot'));
      exchange.empty();
    },
  },
];
