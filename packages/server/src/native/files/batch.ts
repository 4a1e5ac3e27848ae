import { once } from 'node:events';
import {
  type BatchItem,
  checkAllReadable,
  type Engine,
  readEach,
  removeEach,
  writeAll,
  writeEach,
} from '@sandport/engine';
import {
  batchFileSchema,
  batchReadSchema,
  batchRemoveSchema,
  SandportFault,
} from '@sandport/protocol';
import type { Exchange } from '../../http/exchange.ts';
import { check, readJson } from '../../http/read-json.ts';
import type { BodyLine } from '../../http/line-splitter.ts';
import { readLines } from '../../http/read-lines.ts';
import type { Route } from '../../http/router.ts';
import type { FilePlace } from './file-place.ts';

/** Room for a file of the largest size in Base64, its path and the rest. */
const maxLineBytes = 24 * 1024 * 1024;
/** A long line takes this much: its bytes, their text, and the contents in it. */
const memoryOfLine = 3 * maxLineBytes;
/** Room for the most paths of a batch. */
const maxPathsBytes = 16 * 1024 * 1024;

/** Many files in one request. */
export const batchRoutes = (
  engine: Engine,
  place: FilePlace,
  options: { idleTimeoutMs: number },
): Route[] => [
  {
    method: 'POST',
    path: `${place.prefix}/batch/write`,
    handle: async (exchange) => {
      const mode = modeOf(exchange);
      const files = await place.toWrite(exchange);
      const { memory, staging } = engine.files;
      const takeRoom = (signal: AbortSignal) => memory.take(memoryOfLine, signal);
      const items = itemsOf(readLines(exchange, { maxLineBytes, takeRoom, ...options }));
      const written = mode === 'each' ? writeEach(files, items) : writeAll(files, items, staging);
      exchange.json(200, await written);
    },
  },
  {
    method: 'POST',
    path: `${place.prefix}/batch/read`,
    handle: async (exchange) => {
      const { paths, mode } = await readJson(exchange, batchReadSchema, {
        limitBytes: maxPathsBytes,
      });
      const files = await place.toRead(exchange);
      if (mode === 'all') await checkAllReadable(files, paths);
      await sendLines(
        exchange,
        readEach(files, paths, { memory: engine.files.memory, signal: exchange.signal }),
      );
    },
  },
  {
    method: 'POST',
    path: `${place.prefix}/batch/remove`,
    handle: async (exchange) => {
      const request = await readJson(exchange, batchRemoveSchema, { limitBytes: maxPathsBytes });
      const files = await place.toWrite(exchange);
      exchange.json(200, await removeEach(files, request, exchange.signal));
    },
  },
];

function modeOf(exchange: Exchange): 'each' | 'all' {
  const mode = exchange.query.get('mode') ?? 'each';
  if (mode === 'each' || mode === 'all') return mode;
  throw new SandportFault('invalid_request', '`mode` must be `each` or `all`.', { field: 'mode' });
}

async function* itemsOf(lines: AsyncIterable<BodyLine>): AsyncGenerator<BatchItem> {
  for await (const line of lines) yield itemOf(line);
}

/** The file in a line; what is wrong with the line is the fault of that file alone. */
function itemOf(line: BodyLine): BatchItem {
  let path = '';
  try {
    if ('refused' in line) throw refusal(line.refused);
    const value = parseLine(line.bytes);
    if (typeof value === 'object' && value !== null && 'path' in value)
      path = typeof value.path === 'string' ? value.path : '';
    return { file: check(batchFileSchema, value) };
  } catch (error) {
    if (!(error instanceof SandportFault)) throw error;
    const { code, message, details } = error;
    return { path, fault: new SandportFault(code, `Line ${line.number}: ${message}`, details) };
  }
}

const refusal = (reason: 'too_long' | 'no_room'): SandportFault =>
  reason === 'too_long'
    ? new SandportFault('payload_too_large', `it is longer than ${maxLineBytes} bytes.`, {
        limit_bytes: maxLineBytes,
      })
    : new SandportFault('limit_reached', 'too many large files come at this moment.');

function parseLine(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'it is not UTF-8';
    throw new SandportFault('invalid_request', `not valid JSON: ${reason}.`, { field: 'body' });
  }
}

/** Answers with a line of JSON for each value, no faster than the client takes them. */
async function sendLines(exchange: Exchange, values: AsyncIterable<unknown>): Promise<void> {
  const { response, signal } = exchange;
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  try {
    for await (const value of values) {
      if (signal.aborted) return;
      if (!response.write(`${JSON.stringify(value)}\n`)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  response.end();
}
