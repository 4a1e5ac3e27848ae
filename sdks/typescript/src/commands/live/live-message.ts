import { execResultSchema } from '@sandport/protocol';
import { NetworkError } from '../../errors/client-errors.ts';
import { errorFromAnswer } from '../../errors/error-from-answer.ts';
import { parseJson } from '../../http/answer-body.ts';
import type { SocketMessage } from '../../http/socket/socket-queue.ts';
import type { ExitEvent, RawOutput } from '../command-events.ts';
import { commandEnd } from '../command-result.ts';
import { outputBytes } from '../output-bytes.ts';

/** The command runs. */
export interface StartedMessage {
  readonly type: 'started';
  readonly pid: number | undefined;
}

export type LiveMessage = StartedMessage | RawOutput | ExitEvent;

const exitSchema = execResultSchema.omit({ stdout: true, stderr: true });

/**
 * Reads a message of `exec/ws`; undefined for one that this client does not know.
 * @param startedAt by `performance.now`
 * @throws the error that it tells
 */
export function liveMessage(message: SocketMessage, startedAt: number): LiveMessage | undefined {
  const body = typeof message === 'string' ? parseJson(message) : undefined;
  if (typeof body !== 'object' || body === null) {
    throw new NetworkError('The daemon sent a message about a command that cannot be read.');
  }
  const fields: Record<string, unknown> = { ...body };
  const { started, stream, exit, error } = fields;
  if (error !== undefined) throw errorFromAnswer({ body });
  if (started !== undefined) {
    const pid: unknown = Reflect.get(Object(started), 'pid');
    return { type: 'started', pid: typeof pid === 'number' ? pid : undefined };
  }
  if (stream === 'stdout' || stream === 'stderr') {
    return { type: stream, bytes: outputBytes(body, 'data') };
  }
  if (exit === undefined) return undefined;
  const result = { duration_ms: performance.now() - startedAt, ...fields, exit_code: exit };
  return { type: 'exit', ...commandEnd(exitSchema.parse(result), undefined) };
}
