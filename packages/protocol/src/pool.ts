import { z } from 'zod';
import { isolationSchema } from './sandbox.ts';

/** Most sandboxes in one pool; as many as a daemon has by default. */
export const maxPoolSize = 1000;

/** Body of `PUT /v1/pools/{template}`. */
export const setPoolSchema = z.strictObject({
  size: z.int().min(0).max(maxPoolSize).describe('Sandboxes kept ready; 0 drains the pool.'),
  isolation: isolationSchema.optional().describe('Left out: the strongest that works here.'),
});
export type SetPool = z.infer<typeof setPoolSchema>;

export const poolSchema = z.object({
  template: z.string(),
  isolation: isolationSchema,
  size: z.int(),
  ready: z.int(),
  starting: z.int(),
  taken: z.int().describe('Taken since the daemon started.'),
  missed: z.int().describe('Creates that found it empty since the daemon started.'),
  error: z.string().optional().describe('Why the last one could not be made.'),
});
export type PoolObject = z.infer<typeof poolSchema>;
