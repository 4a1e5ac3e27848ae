import { Buffer } from 'node:buffer';
import { execResultSchema } from '@sandport/protocol';
import { NetworkError } from '../errors/client-errors.ts';
import { errorFromAnswer } from '../errors/error-from-answer.ts';
import { header, parseJson } from '../http/answer-body.ts';
import { parseEventStream } from '../http/event-stream.ts';
import { jsonSpec, type Transport } from '../http/transport.ts';
import { type CommandLine, type CommandOptions, execBody } from './command-options.ts';
import { type CommandEnd, commandEnd } from './command-result.ts';

/** Output of a command, as it is written. */
export interface OutputEvent {
  readonly type: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
  /** The same as text; a character that is cut in two comes with its second part. */
  readonly text: string;
}

/** The last event. */
export interface ExitEvent extends CommandEnd {
  readonly type: 'exit';
}

export type CommandEvent = OutputEvent | ExitEvent;

const exitSchema = execResultSchema.omit({ stdout: true, stderr: true });

/**
 * Runs a command and gives its output as it comes, then its end. Leaving the loop early ends the
 * command.
 * @throws SandportError when the command cannot be started or the connection breaks
 */
export async function* commandEvents(
  transport: Transport,
  sandboxPath: string,
  command: CommandLine,
  options: CommandOptions,
): AsyncGenerator<CommandEvent, void, undefined> {
  const spec = jsonSpec({
    method: 'POST',
    path: `${sandboxPath}/exec/stream`,
    headers: { accept: 'text/event-stream' },
    json: execBody(command, options),
    signal: options.signal,
    idleTimeoutMs: 0,
  });
  const message = await transport.send(spec);
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  let end: CommandEnd | undefined;
  try {
    for await (const { event, data } of parseEventStream(message)) {
      const body = parseJson(data);
      if (event === 'stdout' || event === 'stderr') {
        const bytes = outputBytes(body);
        yield { type: event, bytes, text: decoders[event].decode(bytes, { stream: true }) };
      } else if (event === 'exit') {
        // The stream is read to its end, so that the connection can be used again.
        end = commandEnd(exitSchema.parse(body), message);
      } else if (event === 'error') {
        throw errorFromAnswer({ body, requestId: header(message, 'x-request-id') });
      }
    }
  } catch (error) {
    if (end === undefined)
      throw isConnectionError(error) ? transport.brokenBody(error, spec) : error;
  } finally {
    message.destroy();
  }
  if (end !== undefined) {
    for (const type of ['stdout', 'stderr'] as const) {
      const text = decoders[type].decode();
      if (text !== '') yield { type, bytes: new Uint8Array(), text };
    }
    yield { type: 'exit', ...end };
    return;
  }
  options.signal?.throwIfAborted();
  throw new NetworkError(
    'The connection ended before the command did; whether it still runs is not known.',
  );
}

function outputBytes(body: unknown): Uint8Array {
  if (typeof body !== 'object' || body === null) return new Uint8Array();
  const base64: unknown = Reflect.get(body, 'chunk_base64');
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  const chunk: unknown = Reflect.get(body, 'chunk');
  return Buffer.from(typeof chunk === 'string' ? chunk : '', 'utf8');
}

/** Node marks what the system reports with a code of its own. */
function isConnectionError(error: unknown): error is Error {
  return error instanceof Error && error.name !== 'ZodError' && !('statusCode' in error);
}
