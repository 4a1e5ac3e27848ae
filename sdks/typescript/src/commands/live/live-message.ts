import { execResultSchema } from '@sandport/protocol';
import { NetworkError } from '../../errors/client-errors.ts';
import { errorFromAnswer } from '../../errors/error-from-answer.ts';
import { parseJson } from '../../http/answer-body.ts';
import type { SocketMessage } from '../../http/socket/socket-queue.ts';
import { type Woke, wokeFrom } from '../../http/woke.ts';
import type { ExitEvent, RawOutput } from '../command-events.ts';
import { commandEnd } from '../command-result.ts';
import { outputBytes } from '../output-bytes.ts';

/** The command runs. */
export interface StartedMessage {
  readonly type: 'started';
  readonly pid: number | undefined;
  readonly woke: Woke | undefined;
}

export type LiveMessage = StartedMessage | RawOutput | ExitEvent;

const exitSchema = execResultSchema.omit({ stdout: true, stderr: true });

/** What is known of a command when it runs. */
export interface LiveStart {
  /** By `performance.now`. */
  readonly startedAt: number;
  readonly woke?: Woke | undefined;
}

/**
 * Reads a message of `exec/ws`; undefined for one that this client does not know.
 * @throws the error that it tells
 */
export function liveMessage(
  message: SocketMessage,
  { startedAt, woke }: LiveStart,
): LiveMessage | undefined {
  const body = typeof message === 'string' ? parseJson(message) : undefined;
  if (typeof body !== 'object' || body === null) {
    throw new NetworkError('The daemon sent a message about a command that cannot be read.');
  }
  const fields: Record<string, unknown> = { ...body };
  const { started, stream, exit, error } = fields;
  if (error !== undefined) throw errorFromAnswer({ body });
  if (started !== undefined) {
    const pid: unknown = Reflect.get(Object(started), 'pid');
    const wokeNow = wokeFrom(Reflect.get(Object(started), 'woke'));
    return { type: 'started', pid: typeof pid === 'number' ? pid : undefined, woke: wokeNow };
  }
  if (stream === 'stdout' || stream === 'stderr') {
    return { type: stream, bytes: outputBytes(body, 'data') };
  }
  if (exit === undefined) return undefined;
  const result = { duration_ms: performance.now() - startedAt, ...fields, exit_code: exit };
  return { type: 'exit', ...commandEnd(exitSchema.parse(result), woke) };
}
