import { type Engine, maxEventsOfSandbox } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Exchange } from '../http/exchange.ts';
import type { Route } from '../http/router.ts';
import { ServerSentEvents } from '../http/server-sent-events.ts';

/** What happened to sandboxes, as a list or as it happens. */
export const eventRoutes = (engine: Engine, options: { stopping: AbortSignal }): Route[] => [
  {
    method: 'GET',
    path: '/v1/sandboxes/:id/events',
    handle: (exchange) => answerEvents(exchange, engine, exchange.param('id'), options),
  },
  {
    method: 'GET',
    path: '/v1/events',
    handle: (exchange) => answerEvents(exchange, engine, undefined, options),
  },
];

async function answerEvents(
  exchange: Exchange,
  engine: Engine,
  sandbox: string | undefined,
  { stopping }: { stopping: AbortSignal },
): Promise<void> {
  const { principal, query } = exchange;
  const tail = query.integer('tail', { min: 0, max: maxEventsOfSandbox });
  if (!query.flag('follow', false)) {
    exchange.json(200, { events: engine.events.list(principal, sandbox, { tail }) });
    return;
  }
  const after = lastEventId(exchange);
  const end = new AbortController();
  const abort = () => end.abort();
  exchange.signal.addEventListener('abort', abort, { once: true });
  stopping.addEventListener('abort', abort, { once: true });
  try {
    if (exchange.signal.aborted || stopping.aborted) abort();
    const followed = engine.events.follow(principal, sandbox, { tail, after, signal: end.signal });
    // The stream lasts as long as its client: nothing comes after it on the connection.
    exchange.response.shouldKeepAlive = false;
    using stream = new ServerSentEvents(exchange);
    for await (const event of followed) await stream.send('event', event, event.id);
  } catch (error) {
    if (!exchange.signal.aborted) throw error;
  } finally {
    stopping.removeEventListener('abort', abort);
  }
}

/** Where a client that comes back goes on. @throws SandportFault `invalid_request` */
function lastEventId({ request }: Exchange): number | undefined {
  const field = request.headers['last-event-id'];
  if (field === undefined || field === '') return undefined;
  if (typeof field === 'string' && /^\d{1,15}$/.test(field)) return Number(field);
  throw new SandportFault('invalid_request', '`Last-Event-ID` must be the id of an event.', {
    field: 'Last-Event-ID',
  });
}
