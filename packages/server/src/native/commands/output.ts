import { once } from 'node:events';
import type { Engine, KeptOutput } from '@sandport/engine';
import { maxOutputPageBytes, SandportFault } from '@sandport/protocol';
import type { Exchange } from '../../http/exchange.ts';
import { ServerSentEvents } from '../../http/server-sent-events.ts';
import { named } from './named.ts';
import { textOf } from './text-of.ts';
import { Utf8Chunks } from './utf8-chunks.ts';

type Offsets = Record<'stdout' | 'stderr', number>;

/** What a command wrote, as bytes of one stream; with `follow` as events of both. */
export async function answerOutput(
  exchange: Exchange,
  engine: Engine,
  { stopping }: { readonly stopping: AbortSignal },
): Promise<void> {
  if (exchange.query.flag('follow', false)) await followOutput(exchange, engine, stopping);
  else await answerPage(exchange, engine);
}

async function answerPage(exchange: Exchange, engine: Engine): Promise<void> {
  const { query, response, signal } = exchange;
  const stream = query.get('stream') ?? 'stdout';
  if (stream !== 'stdout' && stream !== 'stderr')
    throw new SandportFault('invalid_request', '`stream` must be stdout or stderr.', {
      field: 'stream',
      known: ['stdout', 'stderr'],
    });
  const since = offsetOf(exchange, 'since');
  const limitBytes = query.integer('limit', { min: 0, max: maxOutputPageBytes });
  const { offset, nextOffset, chunks } = engine.kept.output(...named(exchange), {
    stream,
    since,
    limitBytes: limitBytes ?? maxOutputPageBytes,
    signal,
  });
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': nextOffset - offset,
    'X-Sandport-Offset': offset,
    'X-Sandport-Next-Offset': nextOffset,
    'Cache-Control': 'no-store',
  });
  try {
    for await (const bytes of chunks)
      if (!response.write(bytes)) await once(response, 'drain', { signal });
    response.end();
  } catch {
    // The head has promised bytes that went away: the client sees that they are missing.
    response.destroy();
  }
}

async function followOutput(
  exchange: Exchange,
  engine: Engine,
  stopping: AbortSignal,
): Promise<void> {
  const since = followedFrom(exchange);
  // What is not there is told before the head of the answer.
  engine.kept.get(...named(exchange));
  using end = whenEither(exchange.signal, stopping);
  const { signal } = end;
  // The stream may last as long as its client: nothing comes after it on the connection.
  exchange.response.shouldKeepAlive = false;
  using events = new ServerSentEvents(exchange);
  const sender = new OutputEvents(events, since);
  try {
    const onOutput = (output: KeptOutput) => sender.send(output);
    const ended = await engine.kept.follow(...named(exchange), onOutput, { since, signal });
    await sender.flush();
    await events.send('exit', ended, sender.id);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof SandportFault)) throw error;
    exchange.errorCode = error.code;
    await events.send('error', error.toBody());
  }
}

/** Aborts with the first of both; does not stay behind at the one that lives long. */
function whenEither(first: AbortSignal, second: AbortSignal): Disposable & { signal: AbortSignal } {
  const end = new AbortController();
  const abort = () => end.abort();
  const both = [first, second];
  for (const each of both) each.addEventListener('abort', abort, { once: true });
  if (both.some(({ aborted }) => aborted)) abort();
  return {
    signal: end.signal,
    [Symbol.dispose]: () => {
      for (const each of both) each.removeEventListener('abort', abort);
    },
  };
}

/** Sends output as events, no character of UTF-8 torn; their ids tell where to go on. */
class OutputEvents {
  readonly #events: ServerSentEvents;
  readonly #sent: Offsets;
  readonly #pending = { stdout: new Utf8Chunks(), stderr: new Utf8Chunks() };

  constructor(events: ServerSentEvents, since: Offsets) {
    this.#events = events;
    this.#sent = { ...since };
  }

  /** Of the last event: what a client that comes back sends as `Last-Event-ID`. */
  get id(): string {
    return `${this.#sent.stdout}-${this.#sent.stderr}`;
  }

  send(output: KeptOutput): Promise<void> | undefined {
    const { stream } = output;
    if (!('gap' in output)) return this.#chunk(stream, this.#pending[stream].add(output.bytes));
    const rest = this.#chunk(stream, this.#pending[stream].rest());
    this.#sent[stream] = output.gap.to;
    const told = this.#events.send('gap', { stream, ...output.gap }, this.id);
    return rest ?? told;
  }

  async flush(): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const)
      await this.#chunk(stream, this.#pending[stream].rest());
  }

  #chunk(stream: 'stdout' | 'stderr', bytes: Buffer): Promise<void> | undefined {
    if (bytes.length === 0) return undefined;
    const offset = this.#sent[stream];
    this.#sent[stream] += bytes.length;
    return this.#events.send(stream, { offset, ...textOf('chunk', bytes) }, this.id);
  }
}

function followedFrom(exchange: Exchange): Offsets {
  const field = exchange.request.headers['last-event-id'];
  if (field === undefined || field === '')
    return {
      stdout: offsetOf(exchange, 'stdout_since'),
      stderr: offsetOf(exchange, 'stderr_since'),
    };
  const [, stdout, stderr] = /^(\d{1,15})-(\d{1,15})$/.exec(String(field)) ?? [];
  if (stdout !== undefined && stderr !== undefined)
    return { stdout: Number(stdout), stderr: Number(stderr) };
  throw new SandportFault('invalid_request', '`Last-Event-ID` must be the id of an event.', {
    field: 'Last-Event-ID',
  });
}

const offsetOf = ({ query }: Exchange, name: string): number =>
  query.integer(name, { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0;
