import { execResultSchema } from '@sandport/protocol';
import { NetworkError } from '../errors/client-errors.ts';
import { errorFromAnswer } from '../errors/error-from-answer.ts';
import { header, parseJson } from '../http/answer-body.ts';
import { parseEventStream } from '../http/event-stream.ts';
import { jsonSpec, type Transport } from '../http/transport.ts';
import { wokeOf } from '../http/woke.ts';
import type { ExitEvent, RawOutput } from './command-events.ts';
import { type CommandLine, type CommandOptions, execBody } from './command-options.ts';
import { type CommandEnd, commandEnd } from './command-result.ts';
import { outputBytes } from './output-bytes.ts';

const exitSchema = execResultSchema.omit({ stdout: true, stderr: true });

/**
 * Runs a command and gives its output as it comes, then its end. Leaving the loop early ends the
 * command.
 * @throws SandportError when the command cannot be started or the connection breaks
 */
export async function* execStream(
  transport: Transport,
  sandboxPath: string,
  command: CommandLine,
  options: CommandOptions,
): AsyncGenerator<RawOutput | ExitEvent, void, undefined> {
  const spec = jsonSpec({
    method: 'POST',
    path: `${sandboxPath}/exec/stream`,
    headers: { accept: 'text/event-stream' },
    json: execBody(command, options),
    signal: options.signal,
    idleTimeoutMs: 0,
  });
  const message = await transport.send(spec);
  let end: CommandEnd | undefined;
  try {
    for await (const { event, data } of parseEventStream(message)) {
      const body = parseJson(data);
      if (event === 'stdout' || event === 'stderr') {
        yield { type: event, bytes: outputBytes(body, 'chunk') };
      } else if (event === 'exit') {
        // The stream is read to its end, so that the connection can be used again.
        end = commandEnd(exitSchema.parse(body), wokeOf(message));
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
    yield { type: 'exit', ...end };
    return;
  }
  options.signal?.throwIfAborted();
  throw new NetworkError(
    'The connection ended before the command did; whether it still runs is not known.',
  );
}

/** Node marks what the system reports with a code of its own. */
function isConnectionError(error: unknown): error is Error {
  return error instanceof Error && error.name !== 'ZodError' && !('statusCode' in error);
}
