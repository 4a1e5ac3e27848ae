import type { Engine } from '@sandport/engine';
import {
  execOrStartSchema,
  type ExecOrStart,
  execSchema,
  SandportFault,
  type StartCommand,
} from '@sandport/protocol';
import { readJson } from '../../http/read-json.ts';
import type { Route } from '../../http/router.ts';
import { ServerSentEvents } from '../../http/server-sent-events.ts';
import { answerResult } from './answer-result.ts';
import { textOf } from './text-of.ts';
import { Utf8Chunks } from './utf8-chunks.ts';
import { tellWhenWoken } from '../waking.ts';

/** Most bytes of a request: `stdin` travels in it. */
const limitBytes = 32 * 1024 * 1024;

/** Commands, run to their end: all output at once, or as a stream of events. */
export const execRoutes = (engine: Engine): Route[] => [
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/exec',
    handle: async (exchange) => {
      const { principal, signal } = exchange;
      const sandbox = exchange.param('id');
      const body = await readJson(exchange, execOrStartSchema, { limitBytes });
      const woken = tellWhenWoken(exchange);
      if (body.background === true) {
        const options = { input: inputOf(body), ...woken };
        exchange.json(201, await engine.kept.start(principal, sandbox, toStart(body), options));
        return;
      }
      const { background: _background, ...request } = body;
      const { held } = exchange;
      const options = { signal, held, ...woken };
      const result = await engine.commands.run(principal, sandbox, request, options);
      await answerResult(exchange, result);
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
            return chunk.length === 0 ? undefined : events.send(stream, textOf('chunk', chunk));
          },
          { signal },
        );
        for (const stream of ['stdout', 'stderr'] as const) {
          const rest = pending[stream].rest();
          if (rest.length > 0) await events.send(stream, textOf('chunk', rest));
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

function inputOf({ stdin, stdin_base64: base64 }: ExecOrStart): Buffer | undefined {
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return stdin === undefined ? undefined : Buffer.from(stdin);
}

const toStart = ({ cmd, args, cwd, env, user, timeout_seconds }: ExecOrStart): StartCommand => ({
  cmd,
  args,
  cwd,
  env,
  user,
  timeout_seconds,
});
