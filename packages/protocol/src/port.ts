import { z } from 'zod';

/** Most ports that one sandbox exposes. */
export const maxExposedPorts = 64;

/** Longest life of a signed link to a port, in seconds. */
export const maxPreviewSeconds = 7 * 24 * 3600;

/** Most characters in the paths of one signed link. */
const maxPathCharacters = 1_000;

/** A TCP port. */
export const portNumberSchema = z.int().min(1).max(65_535);

/** A TCP port that web servers have: not that of SSH, which is no server for browsers. */
const webPortSchema = portNumberSchema.refine(
  (port) => port !== 22,
  'port 22 is not for the web: use `sandport port-forward`, or SSH',
);

export const portVisibilitySchema = z.enum(['private', 'public']);
export type PortVisibility = z.infer<typeof portVisibilitySchema>;

/** Body of `POST /v1/sandboxes/{id}/ports`. */
export const exposePortSchema = z.strictObject({
  port: webPortSchema,
  label: z
    .string()
    .max(100)
    .regex(/^[^\p{Cc}]*$/u, 'must not hold control characters')
    .optional(),
  visibility: portVisibilitySchema
    .optional()
    .describe('`private`: for those with a key or a signed link. `public`: for everybody.'),
});
export type ExposePort = z.infer<typeof exposePortSchema>;

export const portSchema = z.object({
  port: z.int(),
  label: z.string().optional(),
  listening: z.boolean().describe('A program of the sandbox listens there.'),
  source: z.enum(['exposed', 'detected']),
  visibility: portVisibilitySchema,
  proxy_url: z.string().describe('For those with a key.'),
  preview_url: z.string().describe('For browsers.'),
});
export type PortObject = z.infer<typeof portSchema>;

/** Body of `POST /v1/sandboxes/{id}/preview-token`. */
export const createPreviewTokenSchema = z.strictObject({
  port: webPortSchema,
  ttl_seconds: z.int().min(1).max(maxPreviewSeconds).optional().describe('Left out: 3600.'),
  paths: z
    .array(
      z
        .string()
        .regex(/^\/[!-~]*$/, 'must begin with / and be of percent-encoded ASCII')
        .regex(/^[^?#|]*$/, 'must be a path, without ?, # and |'),
    )
    .max(16)
    .refine(
      (paths) => paths.join('').length <= maxPathCharacters,
      `must have at most ${maxPathCharacters} characters together`,
    )
    .optional()
    .describe('The link leads to these paths and what is below them. Left out: to all.'),
});
export type CreatePreviewToken = z.infer<typeof createPreviewTokenSchema>;

export const previewTokenSchema = z.object({
  url: z.string().describe('By the address of the API.'),
  preview_url: z.string().describe('By the address of the port: what applications need.'),
  token: z.string(),
  sandbox_id: z.string(),
  port: z.int(),
  paths: z.array(z.string()),
  expires_at: z.iso.datetime(),
});
export type PreviewToken = z.infer<typeof previewTokenSchema>;
