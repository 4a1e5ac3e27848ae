import type { Engine, SandboxFilter } from '@sandport/engine';
import {
  createSandboxSchema,
  listSandboxesQuerySchema,
  type SandboxStatus,
  sandboxStatusSchema,
  SandportFault,
} from '@sandport/protocol';
import type { Exchange } from '../http/exchange.ts';
import { check, readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';

/** Sandboxes: made, listed, looked up, ended. */
export const sandboxRoutes = (engine: Engine): Route[] => [
  {
    method: 'POST',
    path: '/v1/sandboxes',
    handle: async (exchange) => {
      const request = await readJson(exchange, createSandboxSchema);
      const sandbox = await engine.sandboxes.create(exchange.principal, request, {
        signal: exchange.signal,
      });
      exchange.json(201, sandbox, { Location: `/v1/sandboxes/${sandbox.id}` });
    },
  },
  {
    method: 'GET',
    path: '/v1/sandboxes',
    handle: (exchange) => {
      const { sandboxes, nextCursor } = engine.sandboxes.list(
        exchange.principal,
        readFilter(exchange),
      );
      exchange.json(200, sandboxes, nextCursor === undefined ? {} : nextPage(exchange, nextCursor));
    },
  },
  {
    method: 'GET',
    path: '/v1/sandboxes/:id',
    handle: (exchange) => {
      exchange.json(200, engine.sandboxes.get(exchange.principal, exchange.param('id')));
    },
  },
  {
    method: 'DELETE',
    path: '/v1/sandboxes/:id',
    handle: async (exchange) => {
      await engine.sandboxes.remove(exchange.principal, exchange.param('id'));
      exchange.empty();
    },
  },
];

const statuses: readonly SandboxStatus[] = sandboxStatusSchema.options;

/** Fields of the query, and `metadata.KEY=VALUE` pairs. */
function readFilter(exchange: Exchange): SandboxFilter {
  const prefix = 'metadata.';
  const pairs = Object.entries(exchange.query.toObject());
  // Object.fromEntries takes every name for what it is, `__proto__` too.
  const plain = Object.fromEntries(pairs.filter(([name]) => !name.startsWith(prefix)));
  const metadata = Object.fromEntries(
    pairs
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
  const status = plain['status'];
  if (status !== undefined && !statuses.some((each) => each === status))
    throw new SandportFault(
      'invalid_request',
      `"status" must be one of ${statuses.join(', ')}; it is "${status.slice(0, 50)}".`,
      { field: 'status', known: statuses },
    );
  return { ...check(listSandboxesQuerySchema, plain), metadata };
}

/** The cursor of the next page, and a link that keeps the filters. */
function nextPage(exchange: Exchange, cursor: string): Record<string, string> {
  const query = new URLSearchParams({ ...exchange.query.toObject(), cursor });
  return { 'X-Next-Cursor': cursor, Link: `<${exchange.path}?${query}>; rel="next"` };
}
