import { z } from 'zod';
import { sandboxIdSchema } from './ids.ts';
import { networkSchema } from './network/network.ts';
import {
  envSchema,
  idleActionSchema,
  idleTimeoutSecondsSchema,
  metadataSchema,
  resourcesSchema,
  sandboxSchema,
  ttlSecondsSchema,
} from './sandbox.ts';

/** How long a sandbox stays; `GET …/lifecycle`. */
export const lifecycleSchema = z.object({
  ttl_seconds: z.int().describe('0: no end.'),
  persistent: z.boolean(),
  idle_timeout_seconds: z.int().describe('0: idleness has no effect.'),
  idle_action: idleActionSchema,
  idle_seconds: z.number().describe('Since the last command or transfer ended; 0 while one runs.'),
  expires_at: z.iso.datetime().optional(),
});
export type Lifecycle = z.infer<typeof lifecycleSchema>;

export const changeLifecycleSchema = z.strictObject({
  ttl_seconds: ttlSecondsSchema
    .optional()
    .describe('Seconds from now at which the sandbox is deleted; 0: never.'),
  persistent: z.boolean().optional().describe('True: `ttl_seconds` does not delete the sandbox.'),
  idle_timeout_seconds: idleTimeoutSecondsSchema.optional(),
  idle_action: idleActionSchema.optional(),
});
export type ChangeLifecycle = z.infer<typeof changeLifecycleSchema>;

/** Body of `PATCH /v1/sandboxes/{id}`. */
export const changeSandboxSchema = z.strictObject({
  resources: resourcesSchema.optional().describe('New limits; what is left out stays.'),
  metadata: metadataSchema.optional().describe('Replaces all labels.'),
  env: envSchema.optional().describe('Replaces the environment of later commands.'),
  network: networkSchema
    .optional()
    .describe('Replaces the network; connections that it no longer allows end.'),
});
export type ChangeSandbox = z.infer<typeof changeSandboxSchema>;

/** Answer of `wake` and of `restore`: the sandbox, and what waking it meant. */
export const wokenSandboxSchema = sandboxSchema.extend({
  woken: z.boolean().describe('False: it was running already.'),
  memory: z.boolean().describe('True: its processes and their memory are what they were.'),
});
export type WokenSandboxObject = z.infer<typeof wokenSandboxSchema>;

/** Most children of one fork. */
export const maxForkChildren = 16;

const childCount = z.int().min(1).max(maxForkChildren);

export const forkSchema = z.strictObject({
  count: childCount.optional().describe('Children; 1.'),
  memory: z
    .boolean()
    .optional()
    .describe('Children with the processes of the parent; left out: where the isolation can.'),
  metadata: metadataSchema.optional().describe('Merged over the metadata of the parent.'),
  mode: z.enum(['cold', 'warm']).optional().describe('`cold`: same as `memory: false`.'),
});
export type Fork = z.infer<typeof forkSchema>;

export const forkTreeSchema = forkSchema.omit({ mode: true }).extend({
  count: childCount.optional().describe('Children; 2.'),
});

const forkErrorSchema = z.object({
  index: z.int(),
  err: z.string().describe('The sentence of the error.'),
  code: z.string(),
});

const forked = {
  parent_id: sandboxIdSchema,
  memory: z.boolean().describe('True: the children have the processes of the parent.'),
  pause_ms: z.number().describe('How long the parent stood still.'),
  at: z.iso.datetime(),
  errors: z.array(forkErrorSchema).optional().describe('Children that could not be made.'),
};

export const forkResultSchema = z.object({
  ...forked,
  tree_id: z.string(),
  snapshot_id: z.string().describe('Name of this moment of the parent; the tree id.'),
  children: z.array(sandboxIdSchema),
  sandboxes: z.array(sandboxSchema).describe('The children, whole.'),
});
export type ForkResult = z.infer<typeof forkResultSchema>;

export const forkTreeResultSchema = z.object({
  ...forked,
  tree_id: z.string(),
  snapshot_id: z.string().describe('Name of this moment of the parent; the tree id.'),
  children: z.array(sandboxSchema),
});
export type ForkTreeResult = z.infer<typeof forkTreeResultSchema>;

export const promoteSchema = z.strictObject({
  tree_id: z.string().max(64).optional().describe('Left out: the tree that the sandbox is of.'),
  cleanup_siblings: z.boolean().optional().describe('Delete the other children of the tree.'),
});
export type Promote = z.infer<typeof promoteSchema>;

export const promoteResultSchema = z.object({
  winner: sandboxIdSchema,
  tree_id: z.string().optional(),
  deleted: z.array(sandboxIdSchema),
  failures: z.array(z.object({ id: sandboxIdSchema, error: z.string() })).optional(),
});
export type PromoteResult = z.infer<typeof promoteResultSchema>;
