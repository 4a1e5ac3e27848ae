import { z } from 'zod';

/** What can happen to a sandbox. */
export const eventTypeSchema = z.enum([
  'created',
  'paused',
  'resumed',
  'hibernated',
  'woken',
  'forked',
  'promoted',
  'snapshotted',
  'restored',
  'changed',
  'network_denied',
  'failed',
  'expired',
  'idle',
  'deleted',
  'command_started',
  'command_ended',
]);
export type EventType = z.infer<typeof eventTypeSchema>;

export const sandboxEventSchema = z.object({
  id: z.int().describe('Grows; for `Last-Event-ID`.'),
  time: z.iso.datetime(),
  sandbox_id: z.string(),
  type: eventTypeSchema,
  payload: z.record(z.string(), z.unknown()),
});
export type SandboxEvent = z.infer<typeof sandboxEventSchema>;

export const eventListSchema = z.object({ events: z.array(sandboxEventSchema) });
