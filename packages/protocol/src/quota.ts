import { z } from 'zod';
import { namespaceSchema } from './ids.ts';

const amount = z
  .int()
  .min(0)
  .max(2 ** 40);

/** Body of `PUT /v1/namespaces/{namespace}/quota`. What is left out has no limit. */
export const setQuotaSchema = z.strictObject({
  max_sandboxes: amount.optional(),
  max_memory_mb: amount.optional().describe('Of the memory limits of all sandboxes together.'),
  max_disk_mb: amount
    .optional()
    .describe('Of the disk limits of all sandboxes and volumes; each must have one then.'),
});
export type SetQuota = z.infer<typeof setQuotaSchema>;

export const quotaSchema = setQuotaSchema.extend({
  namespace: namespaceSchema,
  sandboxes: z.int().describe('There now.'),
  memory_mb: z.int().describe('Promised now, to sandboxes with processes.'),
  disk_mb: z.int().describe('Promised now.'),
});
export type QuotaObject = z.infer<typeof quotaSchema>;
