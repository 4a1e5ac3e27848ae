import { type Build, type Engine, requireAdministrator } from '@sandport/engine';
import { buildTemplateSchema, SandportFault } from '@sandport/protocol';
import type { Exchange } from '../http/exchange.ts';
import { readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';
import { ServerSentEvents } from '../http/server-sent-events.ts';
import { templateArchiveRoutes } from './template-archives.ts';

/** Templates: listed, looked up, built with the log as a stream of events, removed. */
export const templateRoutes = (
  engine: Engine,
  options: { idleTimeoutMs: number; stopping: AbortSignal },
): Route[] => {
  const { templates } = engine;
  const follow = (exchange: Exchange, build: Build) =>
    sendLog(exchange, engine, build, options.stopping);
  const buildOf = (exchange: Exchange) => {
    requireAdministrator(exchange.principal);
    return templates.builds.get(exchange.param('build'));
  };
  return [
    {
      method: 'GET',
      path: '/v1/templates',
      handle: async (exchange) => exchange.json(200, await templates.list()),
    },
    {
      method: 'POST',
      path: '/v1/templates/build',
      handle: async (exchange) => {
        requireAdministrator(exchange.principal);
        const request = await readJson(exchange, buildTemplateSchema);
        const build = await templates.startBuild(exchange.principal, request);
        if (request.detach === true) exchange.json(202, build.object);
        else await follow(exchange, build);
      },
    },
    ...templateArchiveRoutes(engine, options),
    {
      method: 'GET',
      path: '/v1/templates/builds',
      handle: async (exchange) => {
        requireAdministrator(exchange.principal);
        exchange.json(200, templates.builds.list(exchange.query.get('name')));
      },
    },
    {
      method: 'GET',
      path: '/v1/templates/builds/:build',
      handle: async (exchange) => exchange.json(200, buildOf(exchange).object),
    },
    {
      method: 'GET',
      path: '/v1/templates/builds/:build/logs',
      handle: async (exchange) => follow(exchange, buildOf(exchange)),
    },
    {
      method: 'DELETE',
      path: '/v1/templates/builds/:build',
      handle: async (exchange) => {
        await templates.builds.cancel(buildOf(exchange).id);
        exchange.empty();
      },
    },
    {
      method: 'GET',
      path: '/v1/templates/:name',
      handle: async (exchange) => exchange.json(200, await templates.get(exchange.param('name'))),
    },
    {
      method: 'DELETE',
      path: '/v1/templates/:name',
      handle: async (exchange) => {
        requireAdministrator(exchange.principal);
        await templates.remove(exchange.param('name'));
        exchange.empty();
      },
    },
  ];
};

/** The log of a build and how it ended. The build goes on when the client leaves. */
async function sendLog(
  exchange: Exchange,
  { templates }: Engine,
  build: Build,
  stopping: AbortSignal,
): Promise<void> {
  using events = new ServerSentEvents(exchange);
  const signal = AbortSignal.any([exchange.signal, stopping]);
  for await (const line of build.log.follow(signal))
    await events.send('log', { line })?.catch(() => undefined);
  if (signal.aborted) return;
  try {
    await events.send('done', templates.toObject(await build.done));
  } catch (error) {
    if (!(error instanceof SandportFault)) throw error;
    exchange.errorCode = error.code;
    await events.send('error', error.toBody());
  }
}
