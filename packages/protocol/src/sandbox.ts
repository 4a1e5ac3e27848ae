import { z } from 'zod';
import {
  namespaceSchema,
  sandboxIdSchema,
  sandboxNameSchema,
  snapshotIdSchema,
  volumeNameSchema,
} from './ids.ts';
import { networkObjectSchema, networkSchema } from './network/network.ts';

/** How strong the wall around a sandbox is. */
export const isolationSchema = z.enum(['gvisor', 'container']);
export type Isolation = z.infer<typeof isolationSchema>;

export const sandboxStatusSchema = z.enum([
  'creating',
  'running',
  'paused',
  'hibernated',
  'failed',
  'deleted',
]);
export type SandboxStatus = z.infer<typeof sandboxStatusSchema>;

/** Limits of one sandbox. What is left out takes the template's default. */
export const resourcesSchema = z.strictObject({
  cpu: z.number().min(0.05).max(256).optional().describe('CPU cores, fractions allowed.'),
  memory_mb: z.int().min(32).max(1_048_576).optional().describe('Memory in MiB.'),
  disk_mb: z
    .int()
    .min(16)
    .max(1_048_576)
    .optional()
    .describe('Size of the writable disk in MiB; without it the disk of the host is the limit.'),
  pids: z.int().min(8).max(32_768).optional().describe('Processes and threads at one time.'),
});
export type Resources = z.infer<typeof resourcesSchema>;

/** Size of a volume, from 16 MiB to 1 TiB. */
export const volumeSizeSchema = z.int().min(16).max(1_048_576);

export const volumeMountSchema = z.strictObject({
  name: volumeNameSchema.describe('Volume to mount; made on first use.'),
  read_only: z.boolean().optional().describe('Mount read-only, enforced by the kernel.'),
  path: z
    .string()
    .max(3900)
    .optional()
    .describe('Where it is mounted; `/mnt/{name}`. Not /, nor in the areas of the kernel.'),
  size_mb: volumeSizeSchema
    .optional()
    .describe('Most MiB that it holds, when it is made by this request; without it no limit.'),
});
export type VolumeMount = z.infer<typeof volumeMountSchema>;

const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a name of letters, digits and _');
const noNul = z.string().refine((text) => !text.includes('\0'), 'must not hold a NUL byte');
export const envSchema = z.record(envName, noNul);
export const metadataSchema = z.record(z.string().min(1).max(128), z.string().max(4096));

export const userSchema = z
  .string()
  .regex(/^([A-Za-z_][A-Za-z0-9._-]{0,31}|[0-9]{1,5})$/, 'must be a user name or number')
  .refine((user) => !(Number(user) > 65_535), 'must be a user name, or a number up to 65535');

/** What happens to a sandbox that nobody has used for its idle timeout. */
export const idleActionSchema = z.enum(['kill', 'hibernate']);
export type IdleAction = z.infer<typeof idleActionSchema>;

const longestSeconds = 31_536_000;
export const ttlSecondsSchema = z.int().min(0).max(longestSeconds);
export const idleTimeoutSecondsSchema = z.int().min(0).max(longestSeconds);

export const createSandboxSchema = z.strictObject({
  template: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'Template name or alias; `default`. With `from_snapshot` it is that of the snapshot.',
    ),
  isolation: isolationSchema.optional().describe('Left out: the strongest that works here.'),
  namespace: namespaceSchema.optional().describe('Compartment of the sandbox; `default`.'),
  name: sandboxNameSchema.optional().describe('Unique within its namespace.'),
  metadata: metadataSchema.optional().describe('Free text labels; `GET` can filter by them.'),
  env: envSchema.optional().describe('Environment of every command.'),
  from_snapshot: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'Id or name of a snapshot to begin with; its template, and its isolation if left out.',
    ),
  memory: z
    .boolean()
    .optional()
    .describe('False: begin with the disk of the snapshot only, also where it has memory.'),
  ttl_seconds: ttlSecondsSchema
    .optional()
    .describe('Seconds after creation at which the sandbox is deleted; 0 or left out: never.'),
  persistent: z.boolean().optional().describe('True: `ttl_seconds` does not delete the sandbox.'),
  idle_timeout_seconds: idleTimeoutSecondsSchema
    .optional()
    .describe('Seconds without a command or a transfer after which `idle_action` comes; 0: never.'),
  idle_action: idleActionSchema.optional().describe('`hibernate`.'),
  resources: resourcesSchema.optional(),
  cpu: resourcesSchema.shape.cpu.describe('Same as `resources.cpu`.'),
  memory_mb: resourcesSchema.shape.memory_mb.describe('Same as `resources.memory_mb`.'),
  disk_gb: z.int().min(1).max(1024).optional().describe('Same as `resources.disk_mb`, in GiB.'),
  volumes: z.array(volumeMountSchema).max(64).optional(),
  network: networkSchema.optional().describe('Left out: `none`, no network but loopback.'),
  user: userSchema.optional().describe('User that commands run as and that files belong to.'),
  workdir: z.string().startsWith('/').max(3900).optional().describe('Directory of commands.'),
});
export type CreateSandbox = z.infer<typeof createSandboxSchema>;

/** How the processes of a sandbox came to be. */
export const bootModeSchema = z.enum(['cold', 'pool', 'memory', 'disk']);
export type BootMode = z.infer<typeof bootModeSchema>;

export const sandboxSchema = z.object({
  id: sandboxIdSchema,
  template: z.string(),
  isolation: isolationSchema,
  namespace: namespaceSchema,
  name: sandboxNameSchema.optional(),
  status: sandboxStatusSchema,
  status_reason: z
    .string()
    .optional()
    .describe('Why the sandbox failed, or began afresh from its disk instead of its memory.'),
  memory: z
    .boolean()
    .optional()
    .describe('Of a hibernated one: whether waking it gives its processes back.'),
  metadata: metadataSchema,
  env: envSchema,
  resources: z.object({
    cpu: z.number(),
    memory_mb: z.int(),
    disk_mb: z.int().optional(),
    pids: z.int(),
  }),
  cpu: z.number(),
  memory_mb: z.int(),
  volumes: z.array(volumeMountSchema),
  network: networkObjectSchema,
  user: z.string(),
  workdir: z.string(),
  ttl_seconds: z.int(),
  persistent: z.boolean(),
  idle_timeout_seconds: z.int(),
  idle_action: idleActionSchema,
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().optional(),
  parent_id: sandboxIdSchema.optional().describe('Sandbox that it was forked from.'),
  fork_tree_id: z
    .string()
    .optional()
    .describe('Shared by the children of one fork; also in `metadata`.'),
  from_snapshot: snapshotIdSchema.optional().describe('Snapshot that it was made from.'),
  boot_mode: bootModeSchema.describe(
    'How its processes began: `cold` from the template, `pool` made ahead, `memory` or `disk` of a snapshot, a parent or a hibernation.',
  ),
  boot_ms: z.number().describe('Milliseconds from the request to a sandbox that takes commands.'),
});
export type SandboxObject = z.infer<typeof sandboxSchema>;

/** Query of `GET /v1/sandboxes`; `metadata.KEY=VALUE` filters come beside these. */
export const listSandboxesQuerySchema = z.object({
  template: z.string().optional(),
  status: sandboxStatusSchema.optional(),
  namespace: namespaceSchema.optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  cursor: z.string().max(256).optional(),
});
export type ListSandboxesQuery = z.infer<typeof listSandboxesQuerySchema>;
