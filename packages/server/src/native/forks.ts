import type { Engine } from '@sandport/engine';
import {
  type Fork,
  type ForkResult,
  forkSchema,
  forkTreeSchema,
  promoteSchema,
  SandportFault,
} from '@sandport/protocol';
import { readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';

/** Running copies of sandboxes, and which of them is kept. */
export const forkRoutes = (engine: Engine): Route[] => [
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/fork',
    handle: async (exchange) => {
      const request = await readJson(exchange, forkSchema);
      const { count = 1, metadata } = request;
      const { children, ...forked } = await engine.forks.fork(
        exchange.principal,
        exchange.param('id'),
        { count, metadata, memory: memoryOf(request) },
        { signal: exchange.signal },
      );
      const ids = children.map(({ id }) => id);
      const result: ForkResult = { ...forked, children: ids, sandboxes: children };
      exchange.json(201, result);
    },
  },
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/fork-tree',
    handle: async (exchange) => {
      const { count = 2, ...request } = await readJson(exchange, forkTreeSchema);
      const { principal, signal } = exchange;
      const id = exchange.param('id');
      exchange.json(201, await engine.forks.fork(principal, id, { count, ...request }, { signal }));
    },
  },
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/promote',
    handle: async (exchange) => {
      const request = await readJson(exchange, promoteSchema);
      const { principal } = exchange;
      exchange.json(200, await engine.forks.promote(principal, exchange.param('id'), request));
    },
  },
];

/** `cold` is another word for no memory; `warm` for what is the default. */
function memoryOf({ memory, mode }: Fork): boolean | undefined {
  if (mode !== 'cold') return memory;
  if (memory !== true) return false;
  throw new SandportFault(
    'invalid_request',
    '`mode: cold` and `memory: true` exclude each other.',
    {
      field: 'mode',
    },
  );
}
