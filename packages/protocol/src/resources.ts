import { z } from 'zod';
import { namespaceSchema, volumeNameSchema } from './ids.ts';

/** A template as `GET /v1/templates` shows it. */
export const templateSchema = z.object({
  name: z.string(),
  description: z.string(),
  aliases: z.array(z.string()),
  status: z.enum(['ready', 'absent', 'building', 'failed']),
  size_bytes: z.int().describe('Bytes on disk; 0 before it is built.'),
  built_at: z.iso.datetime().optional(),
  user: z.string(),
  workdir: z.string(),
  cpu: z.number(),
  memory_mb: z.int(),
});
export type TemplateObject = z.infer<typeof templateSchema>;

export const volumeSchema = z.object({
  name: volumeNameSchema,
  namespace: namespaceSchema,
  created_at: z.iso.datetime(),
  used_by: z.array(z.string()).describe('Ids of the sandboxes that mount it.'),
});
export type VolumeObject = z.infer<typeof volumeSchema>;

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
