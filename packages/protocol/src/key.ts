import { z } from 'zod';
import { namespaceSchema } from './ids.ts';

export const createKeySchema = z.strictObject({
  label: z.string().max(128).optional(),
  namespaces: z
    .array(namespaceSchema)
    .min(1)
    .optional()
    .describe('Namespaces that the key may use; left out: all, as an administrator.'),
});
export type CreateKey = z.infer<typeof createKeySchema>;

export const keySchema = z.object({
  id: z.string(),
  label: z.string(),
  namespaces: z.array(z.string()).optional(),
  created_at: z.iso.datetime(),
});
export type KeyObject = z.infer<typeof keySchema>;

/** The answer to a new key; the only time that the key itself is shown. */
export const createdKeySchema = keySchema.extend({ api_key: z.string() });
export type CreatedKey = z.infer<typeof createdKeySchema>;

export const healthSchema = z.object({ status: z.literal('ok'), version: z.string() });
