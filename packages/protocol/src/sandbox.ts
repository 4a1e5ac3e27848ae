import { z } from 'zod';
import { namespaceSchema, sandboxIdSchema, sandboxNameSchema, volumeNameSchema } from './ids.ts';

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

export const volumeMountSchema = z.strictObject({
  name: volumeNameSchema.describe('Volume to mount at /mnt/{name}; made on first use.'),
  read_only: z.boolean().optional().describe('Mount read-only, enforced by the kernel.'),
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

export const createSandboxSchema = z.strictObject({
  template: z.string().min(1).max(64).optional().describe('Template name or alias; `default`.'),
  isolation: isolationSchema.optional().describe('Left out: the strongest that works here.'),
  namespace: namespaceSchema.optional().describe('Compartment of the sandbox; `default`.'),
  name: sandboxNameSchema.optional().describe('Unique within its namespace.'),
  metadata: metadataSchema.optional().describe('Free text labels; `GET` can filter by them.'),
  env: envSchema.optional().describe('Environment of every command.'),
  ttl_seconds: z
    .int()
    .min(0)
    .max(31_536_000)
    .optional()
    .describe('Seconds after creation at which the sandbox is deleted; 0 or left out: never.'),
  persistent: z.boolean().optional().describe('True: `ttl_seconds` does not delete the sandbox.'),
  resources: resourcesSchema.optional(),
  cpu: resourcesSchema.shape.cpu.describe('Same as `resources.cpu`.'),
  memory_mb: resourcesSchema.shape.memory_mb.describe('Same as `resources.memory_mb`.'),
  volumes: z.array(volumeMountSchema).max(64).optional(),
  user: userSchema.optional().describe('User that commands run as and that files belong to.'),
  workdir: z.string().startsWith('/').max(3900).optional().describe('Directory of commands.'),
});
export type CreateSandbox = z.infer<typeof createSandboxSchema>;

export const sandboxSchema = z.object({
  id: sandboxIdSchema,
  template: z.string(),
  isolation: isolationSchema,
  namespace: namespaceSchema,
  name: sandboxNameSchema.optional(),
  status: sandboxStatusSchema,
  status_reason: z.string().optional().describe('Why the sandbox failed.'),
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
  user: z.string(),
  workdir: z.string(),
  ttl_seconds: z.int(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().optional(),
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
