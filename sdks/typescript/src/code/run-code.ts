import {
  codeEndSchema,
  codeErrorSchema,
  codeResultSchema,
  type CodeEnd,
  type CodeError,
} from '@sandport/protocol';
import type { OutputCallbacks } from '../commands/output-callbacks.ts';
import { outputBytes } from '../commands/output-bytes.ts';
import { NetworkError } from '../errors/client-errors.ts';
import { errorFromAnswer } from '../errors/error-from-answer.ts';
import { header, parseJson } from '../http/answer-body.ts';
import { parseEventStream } from '../http/event-stream.ts';
import { jsonSpec, type Transport } from '../http/transport.ts';
import { type CodeExecution, codeExecution } from './code-execution.ts';
import { type CodeResult, codeResult } from './code-result.ts';

export interface RunCodeOptions extends OutputCallbacks {
  /** Milliseconds after which the code is interrupted. @default 30_000 */
  timeoutMs?: number | undefined;
  /** Called with each result as it comes. */
  onResult?: ((result: CodeResult) => void | Promise<void>) | undefined;
  /** Called with the error that ends the code. */
  onError?: ((error: CodeError) => void | Promise<void>) | undefined;
  /** Interrupts the code. */
  signal?: AbortSignal | undefined;
}

/**
 * Runs code and gives what it came to.
 * @throws SandportError when it cannot be run, or the connection breaks
 */
export async function runCode(
  transport: Transport,
  path: string,
  body: { readonly code: string; readonly language?: string },
  { timeoutMs, onStdout, onStderr, onResult, onError, signal }: RunCodeOptions,
): Promise<CodeExecution> {
  const json = { ...body, ...(timeoutMs === undefined ? {} : { timeout_ms: timeoutMs }) };
  const headers = { accept: 'text/event-stream' };
  const spec = jsonSpec({ method: 'POST', path, headers, json, signal, idleTimeoutMs: 0 });
  const message = await transport.send(spec);
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const text = { stdout: '', stderr: '' };
  const callbacks = { stdout: onStdout, stderr: onStderr };
  const results: CodeResult[] = [];
  let end: CodeEnd | undefined;
  try {
    for await (const { event, data } of parseEventStream(message)) {
      const given = parseJson(data);
      if (event === 'stdout' || event === 'stderr') {
        const part = decoders[event].decode(outputBytes(given, 'chunk'), { stream: true });
        text[event] += part;
        if (part !== '') await callbacks[event]?.(part);
      } else if (event === 'result') {
        const result = codeResult(codeResultSchema.parse(given));
        results.push(result);
        await onResult?.(result);
      } else if (event === 'error') await onError?.(codeErrorSchema.parse(given));
      else if (event === 'end') end = codeEndSchema.parse(given);
      else if (event === 'failure')
        throw errorFromAnswer({ body: given, requestId: header(message, 'x-request-id') });
    }
  } catch (error) {
    if (end === undefined)
      throw isConnectionError(error) ? transport.brokenBody(error, spec) : error;
  } finally {
    message.destroy();
  }
  if (end !== undefined) return codeExecution(end, { ...text, results });
  signal?.throwIfAborted();
  throw new NetworkError('The connection ended before the code did; the code was interrupted.');
}

/** Node marks what the system reports with a code of its own. */
const isConnectionError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && !('statusCode' in error);
