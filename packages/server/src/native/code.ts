import type { CodeOutput, CodePlace, Engine } from '@sandport/engine';
import {
  createCodeContextSchema,
  maxCodeLength,
  type RunCode,
  replSchema,
  runCodeSchema,
  SandportFault,
} from '@sandport/protocol';
import type { Exchange } from '../http/exchange.ts';
import { readJson, readNoFields } from '../http/read-json.ts';
import type { Route } from '../http/router.ts';
import { ServerSentEvents } from '../http/server-sent-events.ts';
import { textOf } from './commands/text-of.ts';
import { Utf8Chunks } from './commands/utf8-chunks.ts';
import { tellWhenWoken } from './waking.ts';

/** A character of code takes up to 6 bytes of JSON. */
const limitBytes = maxCodeLength * 6 + 1024;

/** What a run gives is kept for a slow client, but not for one that takes nothing for so long. */
const takeTimeoutMs = 60_000;

const repl = '/v1/sandboxes/:id/repl';
const contexts = `${repl}/sessions`;
const context = `${contexts}/:context`;

/** Code whose variables live from one run to the next. */
export function codeRoutes(engine: Engine): Route[] {
  const of = (exchange: Exchange) =>
    [exchange.principal, exchange.param('id'), exchange.param('context')] as const;
  const run = (exchange: Exchange, place: CodePlace, request: RunCode) =>
    engine.code.run(exchange.principal, exchange.param('id'), place, request, {
      signal: exchange.signal,
      held: exchange.held,
      ...tellWhenWoken(exchange),
    });
  return [
    {
      method: 'POST',
      path: repl,
      handle: async (exchange) => {
        const { language, ...request } = await readJson(exchange, replSchema, { limitBytes });
        const result = await run(exchange, { language }, request);
        exchange.json(200, { language, ...result, exit_code: result.exit });
      },
    },
    {
      method: 'POST',
      path: `${repl}/stream`,
      handle: async (exchange) => {
        const { language, ...request } = await readJson(exchange, replSchema, { limitBytes });
        await stream(engine, exchange, { language }, request);
      },
    },
    {
      method: 'GET',
      path: `${repl}/languages`,
      handle: (exchange) =>
        exchange.json(200, engine.code.languages(exchange.principal, exchange.param('id'))),
    },
    {
      method: 'POST',
      path: contexts,
      handle: async (exchange) => {
        const request = await readJson(exchange, createCodeContextSchema);
        const { principal } = exchange;
        const woken = tellWhenWoken(exchange);
        exchange.json(
          201,
          await engine.code.create(principal, exchange.param('id'), request, woken),
        );
      },
    },
    {
      method: 'GET',
      path: contexts,
      handle: (exchange) =>
        exchange.json(200, engine.code.list(exchange.principal, exchange.param('id'))),
    },
    {
      method: 'GET',
      path: context,
      handle: (exchange) => exchange.json(200, engine.code.get(...of(exchange))),
    },
    {
      method: 'DELETE',
      path: context,
      handle: async (exchange) => {
        await engine.code.close(...of(exchange));
        exchange.empty();
      },
    },
    {
      method: 'POST',
      path: `${context}/run`,
      handle: async (exchange) => {
        const request = await readJson(exchange, runCodeSchema, { limitBytes });
        exchange.json(200, await run(exchange, { context: exchange.param('context') }, request));
      },
    },
    {
      method: 'POST',
      path: `${context}/run/stream`,
      handle: async (exchange) => {
        const request = await readJson(exchange, runCodeSchema, { limitBytes });
        await stream(engine, exchange, { context: exchange.param('context') }, request);
      },
    },
    {
      method: 'POST',
      path: `${context}/interrupt`,
      handle: async (exchange) => {
        await readNoFields(exchange);
        engine.code.interrupt(...of(exchange));
        exchange.empty();
      },
    },
    {
      method: 'POST',
      path: `${context}/restart`,
      handle: async (exchange) => {
        await readNoFields(exchange);
        exchange.json(200, await engine.code.restart(...of(exchange), tellWhenWoken(exchange)));
      },
    },
  ];
}

/** What can be refused before the code runs is answered as an error; what comes after, as an event. */
async function stream(
  engine: Engine,
  exchange: Exchange,
  place: CodePlace,
  request: RunCode,
): Promise<void> {
  const { signal, principal } = exchange;
  const sandbox = exchange.param('id');
  await engine.code.ready(principal, sandbox, place, tellWhenWoken(exchange));
  using events = new ServerSentEvents(exchange, { takeTimeoutMs });
  const pending = { stdout: new Utf8Chunks(), stderr: new Utf8Chunks() };
  const flush = async () => {
    for (const name of ['stdout', 'stderr'] as const) {
      const rest = pending[name].rest();
      if (rest.length > 0) await events.send(name, textOf('chunk', rest));
    }
  };
  const onOutput = (output: CodeOutput) => {
    if (output.type === 'result') return events.send('result', output.data);
    if (output.type === 'error') return events.send('error', output.error);
    const chunk = pending[output.type].add(output.bytes);
    return chunk.length === 0 ? undefined : events.send(output.type, textOf('chunk', chunk));
  };
  try {
    const end = await engine.code.stream(principal, sandbox, place, request, onOutput, { signal });
    await flush();
    await events.send('end', end);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof SandportFault)) throw error;
    exchange.errorCode = error.code;
    await events.send('failure', error.toBody());
  }
}
