import { NetworkError } from '../../errors/client-errors.ts';
import { errorFromAnswer } from '../../errors/error-from-answer.ts';
import { receiveBody } from '../../filesystem/read/receive-body.ts';
import { parseJson } from '../../http/answer-body.ts';
import { parseEventStream } from '../../http/event-stream.ts';
import { type OnRetry, Patience } from '../../http/patience.ts';
import type { GapEvent, RawOutput } from '../command-events.ts';
import { outputBytes } from '../output-bytes.ts';
import type { KeptApi, OutputStream } from './kept-api.ts';

/** Where the next bytes of each stream are, counted from the first one that the command wrote. */
export interface OutputOffsets {
  stdout: number;
  stderr: number;
}

export interface FollowOptions {
  signal?: AbortSignal | undefined;
  /** Called when the connection broke, before each attempt to make it again. */
  onRetry?: OnRetry | undefined;
}

/** The command is not running any more, and all its output has come. */
export interface EndedEvent {
  readonly type: 'ended';
  /** As the daemon sent it. */
  readonly body: unknown;
}

/**
 * The output of a command from the offsets on, which move with it, until its end. A broken
 * connection is made again, and nothing is missed or told twice.
 * @throws NotFoundError; NetworkError when the daemon is away for a minute; the signal's reason
 */
export async function* followOutput(
  api: KeptApi,
  id: string,
  offsets: OutputOffsets,
  { signal, onRetry }: FollowOptions,
): AsyncGenerator<RawOutput | GapEvent | EndedEvent, void, undefined> {
  const patience = new Patience(onRetry);
  for (;;) {
    try {
      for await (const event of openStream(api, id, offsets, { signal, patience })) {
        yield event;
        if (event.type === 'ended') return;
      }
      throw new NetworkError('The connection ended before the command did.');
    } catch (error) {
      await patience.pause(error, signal);
    }
  }
}

async function* openStream(
  api: KeptApi,
  id: string,
  offsets: OutputOffsets,
  { signal, patience }: { signal: AbortSignal | undefined; patience: Patience },
): AsyncGenerator<RawOutput | GapEvent | EndedEvent, void, undefined> {
  const { transport } = api;
  const spec = {
    method: 'GET',
    path: `${api.pathOf(id)}/output`,
    query: { follow: 1, stdout_since: offsets.stdout, stderr_since: offsets.stderr },
    headers: { accept: 'text/event-stream' },
    signal,
  } as const;
  const message = await transport.send(spec);
  patience.progress();
  try {
    for await (const { event, data } of parseEventStream(receiveBody(transport, message, spec))) {
      const body = parseJson(data);
      if (event === 'error') throw errorFromAnswer({ body });
      if (event === 'exit') yield { type: 'ended', body };
      else if (event === 'gap') yield* gap(body, offsets);
      else if (event === 'stdout' || event === 'stderr') yield* output(event, body, offsets);
      patience.progress();
    }
  } finally {
    message.destroy();
  }
}

function* output(
  type: OutputStream,
  body: unknown,
  offsets: OutputOffsets,
): Generator<RawOutput | GapEvent, void, undefined> {
  const offset: unknown = Reflect.get(Object(body), 'offset');
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset)) {
    throw new NetworkError('The daemon did not tell which part of the output came.');
  }
  const bytes = outputBytes(body, 'chunk');
  yield* gap({ stream: type, to: offset }, offsets);
  const from = offsets[type];
  offsets[type] = Math.max(from, offset + bytes.byteLength);
  const fresh = offset < from ? bytes.subarray(from - offset) : bytes;
  if (fresh.byteLength > 0) yield { type, bytes: fresh };
}

/** Bytes are gone up to an offset. */
function* gap(body: unknown, offsets: OutputOffsets): Generator<GapEvent, void, undefined> {
  const stream: unknown = Reflect.get(Object(body), 'stream');
  const to: unknown = Reflect.get(Object(body), 'to');
  if ((stream !== 'stdout' && stream !== 'stderr') || typeof to !== 'number') return;
  const from = offsets[stream];
  if (to <= from) return;
  offsets[stream] = to;
  yield { type: 'gap', stream, from, to };
}
