import type { Engine } from '@sandport/engine';
import type { Route } from '../../http/router.ts';
import { answerTus } from '../../tus/answer-tus.ts';

const all = '/v1/sandboxes/:id/uploads';
const one = `${all}/:upload`;

/** Uploads in several requests, by the tus protocol. */
export const uploadRoutes = (engine: Engine, options: { idleTimeoutMs: number }): Route[] => [
  {
    method: 'POST',
    path: all,
    handle: (exchange) => answerTus(exchange, engine, options),
  },
  {
    method: 'GET',
    path: all,
    handle: async (exchange) => {
      const { principal } = exchange;
      exchange.json(200, await engine.uploads.list(principal, exchange.param('id')));
    },
  },
  ...(['HEAD', 'PATCH', 'DELETE', 'POST'] as const).map(
    (method): Route => ({
      method,
      path: one,
      handle: (exchange) =>
        answerTus(exchange, engine, { ...options, upload: exchange.param('upload') }),
    }),
  ),
  ...[all, one].map(
    (path): Route => ({
      method: 'OPTIONS',
      path,
      open: true,
      handle: (exchange) => answerTus(exchange, engine, options),
    }),
  ),
];
