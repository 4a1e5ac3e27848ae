import { z } from 'zod';
import { modeTextSchema, timeTextSchema } from './write.ts';

/** How an archive is packed. */
export const archiveFormatSchema = z.enum(['tar', 'tar.gz', 'tar.zst']);
export type ArchiveFormat = z.infer<typeof archiveFormatSchema>;

export const archiveResultSchema = z.object({
  path: z.string().describe('Directory that the archive was unpacked into.'),
  files: z.int(),
  directories: z.int(),
  symlinks: z.int(),
  hard_links: z.int(),
  bytes: z.int().describe('Bytes of file contents.'),
});
export type ArchiveResult = z.infer<typeof archiveResultSchema>;

export const watchEventTypes = ['created', 'modified', 'removed', 'renamed'] as const;

/** Data of an event of a watch; the event's name is its type. */
export const watchEventSchema = z.object({
  path: z.string(),
  type: z.enum(['file', 'directory', 'symlink', 'other']).optional(),
  from: z.string().optional().describe('Path before, of what was renamed.'),
});
export type WatchEventData = z.infer<typeof watchEventSchema>;

/** Events were lost, or directories are not watched: list what is needed again. */
export const resyncEventSchema = z.object({
  reason: z.enum(['overflow', 'too_many_directories', 'slow_client']),
});

export const createLinkSchema = z.strictObject({
  path: z.string().describe('Absolute path in the sandbox.'),
  method: z.enum(['GET', 'PUT']).optional().describe('GET downloads, PUT uploads; GET.'),
  expires_in_seconds: z.int().min(1).max(604_800).optional().describe('3600; at most 7 days.'),
  max_bytes: z.int().min(0).optional().describe('Largest upload; no limit.'),
});
export type CreateLink = z.infer<typeof createLinkSchema>;

export const linkSchema = z.object({
  id: z.string(),
  sandbox_id: z.string(),
  path: z.string(),
  method: z.enum(['GET', 'PUT']),
  max_bytes: z.int().optional(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
});
export type LinkObject = z.infer<typeof linkSchema>;

/** The answer to a new link; the only time that its address is shown. */
export const createdLinkSchema = linkSchema.extend({
  url: z.string().describe('Works without a key, for curl and browsers.'),
  url_path: z.string().describe("The same below the daemon's address."),
});
export type CreatedLink = z.infer<typeof createdLinkSchema>;

export const uploadSchema = z.object({
  id: z.string(),
  path: z.string().describe('Where the file appears when all bytes have come.'),
  size: z.int().optional().describe('Bytes in all, once it is known.'),
  offset: z.int().describe('Bytes that have come.'),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
});
export type UploadObject = z.infer<typeof uploadSchema>;

/** What `Upload-Metadata` may say of a file; other keys are the client's own. */
export const uploadMetadataSchema = z.object({
  path: z.string(),
  mode: modeTextSchema.optional(),
  mtime: timeTextSchema.optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
    .optional(),
  if_match: z.string().optional(),
  if_none_match: z.string().optional(),
});
