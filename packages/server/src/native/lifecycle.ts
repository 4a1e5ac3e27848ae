import type { Engine } from '@sandport/engine';
import { changeLifecycleSchema, changeSandboxSchema } from '@sandport/protocol';
import { readJson, readNoFields } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';

const sandbox = '/v1/sandboxes/:id';

/** What changes the state of a sandbox, its settings, or how long it stays. */
export const lifecycleRoutes = (engine: Engine): Route[] => [
  {
    method: 'PATCH',
    path: sandbox,
    handle: async (exchange) => {
      const change = await readJson(exchange, changeSandboxSchema);
      const { principal } = exchange;
      exchange.json(200, await engine.sandboxes.change(principal, exchange.param('id'), change));
    },
  },
  {
    method: 'GET',
    path: `${sandbox}/lifecycle`,
    handle: (exchange) => {
      exchange.json(200, engine.sandboxes.lifecycle(exchange.principal, exchange.param('id')));
    },
  },
  {
    method: 'PATCH',
    path: `${sandbox}/lifecycle`,
    handle: async (exchange) => {
      const change = await readJson(exchange, changeLifecycleSchema);
      const { principal } = exchange;
      const id = exchange.param('id');
      exchange.json(200, engine.sandboxes.changeLifecycle(principal, id, change));
    },
  },
  enter(engine, 'pause'),
  enter(engine, 'resume'),
  ...withAlias(enter(engine, 'hibernate'), 'stop'),
  ...withAlias(
    {
      method: 'POST',
      path: `${sandbox}/wake`,
      handle: async (exchange) => {
        await readNoFields(exchange);
        exchange.json(200, await engine.sandboxes.wake(exchange.principal, exchange.param('id')));
      },
    },
    'start',
  ),
];

function enter(engine: Engine, state: 'pause' | 'resume' | 'hibernate'): Route {
  return {
    method: 'POST',
    path: `${sandbox}/${state}`,
    handle: async (exchange) => {
      await readNoFields(exchange);
      const { principal } = exchange;
      exchange.json(200, await engine.sandboxes.enter(principal, exchange.param('id'), state));
    },
  };
}

/** The same route under a second name. */
const withAlias = (route: Route, name: string): Route[] => [
  route,
  { ...route, path: `${sandbox}/${name}`, aliasOf: route.path },
];
