import { z } from 'zod';
import { namespaceSchema, volumeNameSchema } from './ids.ts';
import { volumeSizeSchema } from './sandbox.ts';

export const createVolumeSchema = z.strictObject({
  name: volumeNameSchema,
  namespace: namespaceSchema.optional().describe('`default`.'),
  size_mb: volumeSizeSchema.optional().describe('Most MiB that it holds; without it no limit.'),
});
export type CreateVolume = z.infer<typeof createVolumeSchema>;

export const volumeSchema = z.object({
  name: volumeNameSchema,
  namespace: namespaceSchema,
  size_mb: z.int().optional().describe('Its limit.'),
  size_bytes: z
    .int()
    .optional()
    .describe('Bytes that it holds; in the answer for one volume only.'),
  created_at: z.iso.datetime(),
  used_by: z.array(z.string()).describe('Ids of the sandboxes that mount it.'),
});
export type VolumeObject = z.infer<typeof volumeSchema>;
