import { z } from 'zod';
import { templateNameSchema } from './ids.ts';
import { networkPolicySchema, networkSchema } from './network/network.ts';
import { envSchema, resourcesSchema, userSchema } from './sandbox.ts';

/** A template as `GET /v1/templates` shows it. */
export const templateSchema = z.object({
  name: z.string(),
  description: z.string(),
  aliases: z.array(z.string()),
  status: z.enum(['ready', 'absent', 'building', 'failed']),
  version: z.string().optional().describe('Version that new sandboxes get.'),
  source: z.string().describe('What it is made of, for people.'),
  removable: z.boolean().describe('False: it comes with Sandport.'),
  size_bytes: z.int().describe('Bytes on disk; 0 before it is built.'),
  built_at: z.iso.datetime().optional(),
  user: z.string(),
  workdir: z.string(),
  env: envSchema,
  cpu: z.number(),
  memory_mb: z.int(),
  disk_mb: z.int().optional(),
  network: networkPolicySchema
    .optional()
    .describe('Of sandboxes that ask for none; left out: what their namespace says.'),
});
export type TemplateObject = z.infer<typeof templateSchema>;

const reference = z.string().min(1).max(512);

/** Body of `POST /v1/templates/build`. */
export const buildTemplateSchema = z
  .strictObject({
    name: templateNameSchema.describe('Name of the template; an alias is followed.'),
    image: reference
      .optional()
      .describe('Image in a registry, as `docker.io/library/alpine:3.20`.'),
    credentials: z.string().max(4096).optional().describe('`user:password` for the registry.'),
    insecure: z.boolean().optional().describe('Speak to the registry without TLS.'),
    archive: reference
      .optional()
      .describe('Path on the machine of the daemon: `docker save`, OCI archive or OCI layout.'),
    upload: reference.optional().describe('Archive that `POST /v1/templates/archives` has taken.'),
    dockerfile: reference
      .optional()
      .describe('Directory on the machine of the daemon with a Dockerfile.'),
    packages: z
      .array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/))
      .max(500)
      .optional()
      .describe('Debian packages beside those of `base`.'),
    from_sandbox: z
      .string()
      .max(64)
      .optional()
      .describe('Id or name of a sandbox whose disk it gets.'),
    description: z.string().max(500).optional(),
    user: userSchema.optional().describe('Left out: what the source says.'),
    workdir: z.string().startsWith('/').max(3900).optional(),
    env: envSchema.optional().describe('Added to what the source says.'),
    resources: resourcesSchema.optional().describe('Limits of sandboxes that ask for none.'),
    network: networkSchema
      .optional()
      .describe('Network of sandboxes that ask for none. Left out: what their namespace says.'),
    replace: z.boolean().optional().describe('Make a new version of a template that is there.'),
    detach: z.boolean().optional().describe('Answer at once with the build instead of its log.'),
  })
  .refine(
    (body) =>
      [
        body.image,
        body.archive,
        body.upload,
        body.dockerfile,
        body.packages,
        body.from_sandbox,
      ].filter((source) => source !== undefined).length <= 1,
    { message: 'only one source can be given', path: ['image'] },
  );
export type BuildTemplate = z.infer<typeof buildTemplateSchema>;

/** A build as `GET /v1/templates/builds` shows it. */
export const templateBuildSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  status: z.enum(['queued', 'running', 'done', 'failed']),
  error: z.string().optional(),
  code: z.string().optional(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime().optional(),
});
export type TemplateBuild = z.infer<typeof templateBuildSchema>;

/** Answer of `POST /v1/templates/archives`. */
export const templateArchiveSchema = z.object({
  upload: z.string().describe('For `upload` of a build, once, within an hour.'),
  bytes: z.int(),
});
