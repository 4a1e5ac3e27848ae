import { z } from 'zod';
import { namespaceSchema, sandboxIdSchema, snapshotIdSchema, snapshotNameSchema } from './ids.ts';
import { isolationSchema, metadataSchema, volumeMountSchema } from './sandbox.ts';

export const createSnapshotSchema = z.strictObject({
  name: snapshotNameSchema.optional().describe('Unique within its namespace.'),
  memory: z
    .boolean()
    .optional()
    .describe('With processes and memory; left out: where the isolation can.'),
  metadata: metadataSchema.optional(),
});
export type CreateSnapshot = z.infer<typeof createSnapshotSchema>;

export const snapshotSchema = z.object({
  id: snapshotIdSchema,
  name: snapshotNameSchema.optional(),
  namespace: namespaceSchema,
  sandbox_id: sandboxIdSchema.describe('It may be gone.'),
  template: z.string(),
  isolation: isolationSchema,
  memory: z.boolean().describe('True: sandboxes from it begin with its processes.'),
  size_bytes: z.int(),
  volumes: z
    .array(volumeMountSchema)
    .describe('Mounted by the sandbox; their contents are not in it.'),
  metadata: metadataSchema,
  pause_ms: z.number().describe('How long the sandbox stood still.'),
  created_at: z.iso.datetime(),
});
export type SnapshotObject = z.infer<typeof snapshotSchema>;

/** Body of `POST /v1/sandboxes/{id}/restore`. */
export const restoreSchema = z.strictObject({
  snapshot: z.string().min(1).max(64).describe('Id or name.'),
});
