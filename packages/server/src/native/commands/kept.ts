import type { Engine } from '@sandport/engine';
import {
  commandStatusSchema,
  maxWaitSeconds,
  SandportFault,
  signalCommandSchema,
  startCommandSchema,
  terminalSizeSchema,
} from '@sandport/protocol';
import { z } from 'zod';
import type { Exchange } from '../../http/exchange.ts';
import { check, readJson } from '../../http/read-json.ts';
import type { Route } from '../../http/router.ts';
import { tellWhenWoken } from '../waking.ts';
import { writeInput } from './input.ts';
import { named } from './named.ts';
import { answerOutput } from './output.ts';

const commands = '/v1/sandboxes/:id/commands';
const command = `${commands}/:command`;

const listSchema = z.object({ status: commandStatusSchema.optional() });

export interface KeptRoutesOptions {
  readonly idleTimeoutMs: number;
  readonly stopping: AbortSignal;
}

/** Commands that go on without their client. */
export const keptRoutes = (engine: Engine, options: KeptRoutesOptions): Route[] => [
  {
    method: 'POST',
    path: commands,
    handle: async (exchange) => {
      const request = await readJson(exchange, startCommandSchema);
      const { principal } = exchange;
      const woken = tellWhenWoken(exchange);
      exchange.json(201, await engine.kept.start(principal, exchange.param('id'), request, woken));
    },
  },
  {
    method: 'GET',
    path: commands,
    handle: (exchange) => {
      const { status } = check(listSchema, { status: exchange.query.get('status') });
      exchange.json(200, engine.kept.list(exchange.principal, exchange.param('id'), status));
    },
  },
  {
    method: 'GET',
    path: command,
    handle: async (exchange) => {
      const waitMs = waitSeconds(exchange) * 1000;
      const { signal } = exchange;
      exchange.json(200, await engine.kept.wait(...named(exchange), { waitMs, signal }));
    },
  },
  {
    method: 'DELETE',
    path: command,
    handle: async (exchange) => {
      await engine.kept.remove(...named(exchange));
      exchange.empty();
    },
  },
  {
    method: 'POST',
    path: `${command}/signal`,
    handle: async (exchange) => {
      const { signal = 'SIGTERM' } = await readJson(exchange, signalCommandSchema);
      await engine.kept.signal(...named(exchange), signal);
      exchange.empty();
    },
  },
  {
    method: 'POST',
    path: `${command}/resize`,
    handle: async (exchange) => {
      const { rows, cols } = await readJson(exchange, terminalSizeSchema);
      await engine.kept.resize(...named(exchange), { rows, columns: cols });
      exchange.empty();
    },
  },
  {
    method: 'PUT',
    path: `${command}/stdin`,
    handle: (exchange) => writeInput(exchange, engine, options),
  },
  {
    method: 'GET',
    path: `${command}/output`,
    handle: (exchange) => answerOutput(exchange, engine, options),
  },
];

function waitSeconds({ query }: Exchange): number {
  const text = query.get('wait_seconds') ?? '0';
  const seconds = /^\d{1,3}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= maxWaitSeconds) return seconds;
  throw new SandportFault(
    'invalid_request',
    `\`wait_seconds\` must be a number from 0 to ${maxWaitSeconds}.`,
    { field: 'wait_seconds' },
  );
}
