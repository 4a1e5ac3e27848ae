import { z } from 'zod';

export const fileTypeSchema = z.enum(['file', 'directory', 'symlink', 'other']);
export type FileType = z.infer<typeof fileTypeSchema>;

/**
 * One entry of a directory, or the answer of `stat`. `is_dir`, `mode` as a letter and `mtime` in
 * whole seconds are what clients of PandaStack read; the rest says it in full.
 */
export const fileEntrySchema = z.object({
  name: z.string().describe('Name without its directory. Bytes that are not UTF-8 come as U+FFFD.'),
  path: z.string().describe('Absolute path in the sandbox.'),
  name_base64: z
    .string()
    .optional()
    .describe('Base64 of the name, when it is not UTF-8. Such a file can be listed, not opened.'),
  type: fileTypeSchema,
  is_dir: z.boolean(),
  size: z.int().describe('Bytes.'),
  mode: z.string().describe('Letter of the type: f, d, l, p, s, c or b.'),
  permissions: z
    .string()
    .regex(/^[0-7]{4}$/)
    .describe('Permission bits in octal, as 0644.'),
  uid: z.int().describe('Owner inside the sandbox.'),
  gid: z.int().describe('Group inside the sandbox.'),
  mtime: z.int().describe('Last change of the contents, seconds since 1970.'),
  modified_at: z.iso.datetime().describe('Last change of the contents, to the millisecond.'),
  symlink_target: z.string().optional().describe('Text of the link, when it is one.'),
  etag: z
    .string()
    .optional()
    .describe('Validator of a regular file, for If-Match. `stat` gives it, listings do not.'),
  sha256: z
    .string()
    .optional()
    .describe('SHA-256 of a regular file in hex; only where the request asks for it.'),
});
export type FileEntry = z.infer<typeof fileEntrySchema>;
