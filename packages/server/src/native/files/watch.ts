import type { FileWatcher, WatchEvent } from '@sandport/driver';
import { SandportFault, type WatchEventData } from '@sandport/protocol';
import type { Exchange } from '../../http/exchange.ts';
import type { Route } from '../../http/router.ts';
import { ServerSentEvents } from '../../http/server-sent-events.ts';
import type { FilePlace } from './file-place.ts';
import { pathOf } from './path.ts';

/** The kernel gives a user 128 queues of file events, unless told otherwise. */
const mostWatchers = 64;

/** Tells what changes in a directory, as it happens. The places share the watchers that there may be. */
export function watchRoutes(
  places: readonly FilePlace[],
  { stopping }: { stopping: AbortSignal },
): Route[] {
  let watchers = 0;
  return places.map((place) => ({
    method: 'GET',
    path: `${place.prefix}/watch`,
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const recursive = exchange.query.flag('recursive', true);
      const files = await place.toLook(exchange);
      if (watchers >= mostWatchers) throw tooManyWatchers();
      watchers++;
      try {
        using watcher = await files.watch(path, { recursive });
        await sendEvents(exchange, watcher, stopping);
      } catch (error) {
        if (!exchange.signal.aborted) throw error;
      } finally {
        watchers--;
      }
    },
  }));
}

/** Ends with the watcher, when the client has gone, or when the daemon stops. */
async function sendEvents(
  exchange: Exchange,
  watcher: FileWatcher,
  stopping: AbortSignal,
): Promise<void> {
  const close = () => watcher.close();
  exchange.signal.addEventListener('abort', close, { once: true });
  stopping.addEventListener('abort', close, { once: true });
  try {
    if (exchange.signal.aborted || stopping.aborted) close();
    // The stream lasts as long as its client: nothing comes after it on the connection.
    exchange.response.shouldKeepAlive = false;
    using events = new ServerSentEvents(exchange);
    await events.send('ready', {});
    for await (const event of watcher) await events.send(event.kind, dataOf(event));
  } finally {
    stopping.removeEventListener('abort', close);
  }
}

function dataOf(event: WatchEvent): WatchEventData | { reason: string } | Record<string, never> {
  if (event.kind === 'end') return {};
  if (event.kind === 'resync') return { reason: event.reason };
  const { kind: _, ...data } = event;
  return data;
}

const tooManyWatchers = (): SandportFault =>
  new SandportFault('limit_reached', `${mostWatchers} directories are watched already.`, {
    limit: mostWatchers,
  });
