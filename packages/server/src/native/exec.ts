import { isUtf8 } from 'node:buffer';
import type { Engine } from '@sandport/engine';
import { execSchema, SandportFault } from '@sandport/protocol';
import { readJson } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';
import { ServerSentEvents } from '../http/server-sent-events.ts';
import { Utf8Chunks } from './utf8-chunks.ts';
import { tellWhenWoken } from './waking.ts';

/** Most bytes of a request: `stdin` travels in it. */
const limitBytes = 32 * 1024 * 1024;

/** Commands, run to their end: all output at once, or as a stream of events. */
export const execRoutes = (engine: Engine): Route[] => [
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/exec',
    handle: async (exchange) => {
      const { signal } = exchange;
      const request = await readJson(exchange, execSchema, { limitBytes });
      exchange.json(
        200,
        await engine.commands.run(exchange.principal, exchange.param('id'), request, {
          signal,
          ...tellWhenWoken(exchange),
        }),
      );
    },
  },
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/exec/stream',
    handle: async (exchange) => {
      const { signal } = exchange;
      const request = await readJson(exchange, execSchema, { limitBytes });
      // Whether it had to be woken stands in the head of the answer.
      const woken = tellWhenWoken(exchange);
      await engine.commands.ready(exchange.principal, exchange.param('id'), woken);
      using events = new ServerSentEvents(exchange);
      const pending = { stdout: new Utf8Chunks(), stderr: new Utf8Chunks() };
      try {
        const result = await engine.commands.stream(
          exchange.principal,
          exchange.param('id'),
          request,
          ({ stream, bytes }) => {
            const chunk = pending[stream].add(bytes);
            return chunk.length === 0 ? undefined : events.send(stream, toData(chunk));
          },
          { signal },
        );
        for (const stream of ['stdout', 'stderr'] as const) {
          const rest = pending[stream].rest();
          if (rest.length > 0) await events.send(stream, toData(rest));
        }
        await events.send('exit', result);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof SandportFault)) throw error;
        exchange.errorCode = error.code;
        await events.send('error', error.toBody());
      }
    },
  },
];

/** Text for every client; the exact bytes beside it when they are not text. */
const toData = (chunk: Buffer): Record<string, string> =>
  isUtf8(chunk)
    ? { chunk: chunk.toString('utf8') }
    : { chunk: chunk.toString('utf8'), chunk_base64: chunk.toString('base64') };
