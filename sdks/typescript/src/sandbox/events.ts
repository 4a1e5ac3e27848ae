import { eventListSchema, type SandboxEvent, sandboxEventSchema } from '@sandport/protocol';
import { NotFoundError } from '../errors/api-errors.ts';
import { NetworkError } from '../errors/client-errors.ts';
import { errorFromAnswer } from '../errors/error-from-answer.ts';
import type { SignalOptions } from '../filesystem/progress.ts';
import { receiveBody } from '../filesystem/read/receive-body.ts';
import { parseJson } from '../http/answer-body.ts';
import { parseEventStream } from '../http/event-stream.ts';
import { type OnRetry, Patience } from '../http/patience.ts';
import type { Transport } from '../http/transport.ts';

export interface EventsOptions extends SignalOptions {
  /** Most events: the last ones. @default 50 */
  tail?: number | undefined;
}

export interface FollowEventsOptions extends SignalOptions {
  /** Begin with so many events that have happened already. @default 0 */
  tail?: number | undefined;
  /** Begin behind the event with this id instead. */
  after?: number | undefined;
  /** Called when the connection broke, before each attempt to make it again. */
  onRetry?: OnRetry | undefined;
}

/** Where events come from: one sandbox, by its path in the API, or all that the key may see. */
export interface EventSource {
  readonly transport: Transport;
  readonly sandboxPath?: string;
}

/** The last events, oldest first. */
export async function listEvents(
  { transport, sandboxPath = '/v1' }: EventSource,
  { tail, signal }: EventsOptions,
): Promise<SandboxEvent[]> {
  const spec = { method: 'GET', path: `${sandboxPath}/events`, query: { tail }, signal } as const;
  return (await transport.json(spec, eventListSchema)).events;
}

/**
 * Events as they happen. A broken connection is made again, and no event is missed or told twice.
 * The loop ends when the sandbox is gone; the signal ends it with its reason.
 * @throws NotFoundError; NetworkError when the daemon is away for a minute
 */
export async function* followEvents(
  source: EventSource,
  options: FollowEventsOptions,
): AsyncGenerator<SandboxEvent, void, undefined> {
  const { tail = 0, signal, onRetry } = options;
  // What happens from now on is known by the last event before it, also after a broken connection.
  const last = tail > 0 ? undefined : (await listEvents(source, { tail: 1, signal })).at(-1)?.id;
  const seen = { after: options.after ?? last };
  const patience = new Patience(onRetry);
  for (;;) {
    try {
      yield* openStream(source, seen, { ...options, tail }, () => patience.progress());
      if (await isGone(source, signal)) return;
      throw new NetworkError('The connection ended, and the events with it.');
    } catch (error) {
      await patience.pause(error, signal);
    }
  }
}

async function* openStream(
  { transport, sandboxPath = '/v1' }: EventSource,
  seen: { after: number | undefined },
  { tail, signal }: FollowEventsOptions,
  onConnected: () => void,
): AsyncGenerator<SandboxEvent, void, undefined> {
  const { after } = seen;
  const spec = {
    method: 'GET',
    path: `${sandboxPath}/events`,
    query: { follow: true, tail: after === undefined ? tail : undefined },
    headers: {
      accept: 'text/event-stream',
      ...(after !== undefined && { 'last-event-id': String(after) }),
    },
    signal,
  } as const;
  const message = await transport.send(spec);
  onConnected();
  try {
    for await (const { event, data } of parseEventStream(receiveBody(transport, message, spec))) {
      if (event === 'error') throw errorFromAnswer({ body: parseJson(data) });
      if (event !== 'event') continue;
      const told = sandboxEventSchema.parse(parseJson(data));
      seen.after = told.id;
      yield told;
    }
  } finally {
    message.destroy();
  }
}

async function isGone(source: EventSource, signal: AbortSignal | undefined): Promise<boolean> {
  if (source.sandboxPath === undefined) return false;
  try {
    await source.transport.drain({ method: 'GET', path: source.sandboxPath, signal });
    return false;
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    throw error;
  }
}
