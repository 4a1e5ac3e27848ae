import type { IncomingMessage } from 'node:http';
import { type FileType, resyncEventSchema, watchEventSchema } from '@sandport/protocol';
import { NetworkError } from '../../errors/client-errors.ts';
import { errorFromAnswer } from '../../errors/error-from-answer.ts';
import { parseJson } from '../../http/answer-body.ts';
import { parseEventStream, type ServerSentEvent } from '../../http/event-stream.ts';
import type { RequestSpec } from '../../http/request.ts';
import type { Transport } from '../../http/transport.ts';
import { type FilesApi, guestPath } from '../files-api.ts';
import type { SignalOptions } from '../progress.ts';
import { receiveBody } from '../read/receive-body.ts';

export interface WatchOptions extends SignalOptions {
  /** Also the directories below, new ones too. @default true */
  recursive?: boolean | undefined;
}

/** Something that happened below the watched directory. */
export type WatchEvent =
  | {
      readonly type: 'created' | 'modified' | 'removed';
      readonly path: string;
      /** Absent where it cannot be told any more. */
      readonly fileType?: FileType | undefined;
    }
  | {
      readonly type: 'renamed';
      readonly path: string;
      readonly from: string;
      readonly fileType?: FileType | undefined;
    }
  /** Events were lost, or some directories are not watched: list again what is needed. */
  | {
      readonly type: 'resync';
      readonly reason: 'overflow' | 'too_many_directories' | 'slow_client';
    };

/**
 * What happens in a directory from now on; iterated once. The loop ends when the directory is
 * removed or the watch is closed, and throws when the connection breaks: then what happened
 * meanwhile is not known, and a new watch and a new listing are due.
 */
export interface FileWatch extends AsyncIterable<WatchEvent>, AsyncDisposable {
  /** Ends the watch; the loop over it ends too. */
  close(): void;
}

/** Begins to watch. Resolves once everything is watched, so that no later event is missed. */
export async function watch(
  api: FilesApi,
  path: string,
  options: WatchOptions,
): Promise<FileWatch> {
  const { recursive, signal } = options;
  const spec: RequestSpec = {
    method: 'GET',
    path: `${api.fsPath}/watch`,
    query: { path: guestPath(path), recursive: recursive === false ? false : undefined },
    headers: { accept: 'text/event-stream' },
    signal,
  };
  const message = await api.transport.send(spec);
  const events = new Watch(api.transport, message, spec);
  await events.ready();
  return events;
}

class Watch implements FileWatch {
  readonly #message: IncomingMessage;
  readonly #events: AsyncGenerator<ServerSentEvent, void, undefined>;
  readonly #signal: AbortSignal | undefined;
  #closed = false;

  constructor(transport: Transport, message: IncomingMessage, spec: RequestSpec) {
    this.#message = message;
    this.#signal = spec.signal;
    this.#events = parseEventStream(receiveBody(transport, message, spec));
  }

  async ready(): Promise<void> {
    const { done, value } = await this.#events.next();
    if (done !== true && value.event === 'ready') return;
    this.#message.destroy();
    if (done !== true && value.event === 'error')
      throw errorFromAnswer({ body: parseJson(value.data) });
    throw new NetworkError('The connection ended before the watch began.');
  }

  close(): void {
    this.#closed = true;
    this.#message.destroy();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent, void, undefined> {
    try {
      for await (const { event, data } of this.#events) {
        if (event === 'end') return;
        if (event === 'error') throw errorFromAnswer({ body: parseJson(data) });
        const watched = eventOf(event, data);
        if (watched !== undefined) yield watched;
      }
      throw new NetworkError('The connection of the watch ended; events may have been missed.');
    } catch (error) {
      if (this.#closed && this.#signal?.aborted !== true) return;
      throw error;
    } finally {
      this.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/** Undefined for events that this version does not know. */
function eventOf(event: string, data: string): WatchEvent | undefined {
  const body = parseJson(data);
  switch (event) {
    case 'created':
    case 'modified':
    case 'removed': {
      const { path, type } = watchEventSchema.parse(body);
      return { type: event, path, ...(type !== undefined && { fileType: type }) };
    }
    case 'renamed': {
      const { path, from = path, type } = watchEventSchema.parse(body);
      return { type: event, path, from, ...(type !== undefined && { fileType: type }) };
    }
    case 'resync':
      return { type: event, ...resyncEventSchema.parse(body) };
    default:
      return undefined;
  }
}
