import type { Engine } from '@sandport/engine';
import { isAdministrator } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import { z } from 'zod';
import { readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';
import { ServerSentEvents } from '../http/server-sent-events.ts';

const buildSchema = z.strictObject({ name: z.string().min(1).max(64) });

/** Templates: listed, looked up, built with the log as a stream of events. */
export const templateRoutes = (engine: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/templates',
    handle: async (exchange) => exchange.json(200, await engine.templates.list()),
  },
  {
    method: 'GET',
    path: '/v1/templates/:name',
    handle: async (exchange) =>
      exchange.json(200, await engine.templates.get(exchange.param('name'))),
  },
  {
    method: 'POST',
    path: '/v1/templates/build',
    handle: async (exchange) => {
      const { name } = await readJson(exchange, buildSchema);
      if (!isAdministrator(exchange.principal))
        throw new SandportFault('forbidden', 'Only an administrator key may build templates.');
      await engine.templates.get(name);
      using events = new ServerSentEvents(exchange);
      try {
        const template = await engine.templates.build(name, {
          onProgress: (line) => void events.send('log', { line })?.catch(() => undefined),
        });
        await events.send('done', template);
      } catch (error) {
        if (!(error instanceof SandportFault)) throw error;
        exchange.errorCode = error.code;
        await events.send('error', error.toBody());
      }
    },
  },
];
