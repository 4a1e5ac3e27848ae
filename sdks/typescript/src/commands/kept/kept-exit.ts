import { type CommandObject, execResultSchema } from '@sandport/protocol';
import { CommandLostError } from '../../errors/client-errors.ts';
import type { Woke } from '../../http/woke.ts';
import type { ExitEvent } from '../command-events.ts';
import { commandEnd } from '../command-result.ts';
import type { EndedEvent } from './follow-output.ts';

const endSchema = execResultSchema
  .omit({ stdout: true, stderr: true, duration_ms: true })
  .partial({ exit_code: true });

/**
 * How a kept command ended.
 * @throws CommandLostError when nobody knows
 */
export function keptExit(
  { body }: EndedEvent,
  { id, started_at: startedAt }: CommandObject,
  woke: Woke | undefined,
): ExitEvent {
  const fields = Object(body);
  const { exit_code, ...end } = endSchema.parse(fields);
  if (exit_code === undefined) throw new CommandLostError(id);
  const endedAt: unknown = Reflect.get(fields, 'ended_at');
  const duration = typeof endedAt === 'string' ? Date.parse(endedAt) - Date.parse(startedAt) : 0;
  const result = { ...end, exit_code, duration_ms: Math.max(0, duration) };
  return { type: 'exit', ...commandEnd(result, woke) };
}
