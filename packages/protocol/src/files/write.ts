import { z } from 'zod';
import { maxNumericId } from './ids.ts';

export const writeResultSchema = z.object({
  path: z.string().describe('Absolute path that was written, as it was asked for.'),
  bytes: z.int().describe('Bytes written.'),
  size: z.int().describe('Bytes that the file has now.'),
  etag: z.string().describe('Validator of the new contents.'),
});
export type WriteResult = z.infer<typeof writeResultSchema>;

/** Permission bits as octal text: `755`, `0755`, `4755`. */
export const modeTextSchema = z
  .string()
  .regex(/^[0-7]{3,4}$/, 'must be octal permission bits, as 0644');

/** A point in time: seconds since 1970, with up to nine decimals. Text keeps nanoseconds exact. */
export const timeTextSchema = z
  .string()
  .regex(/^-?\d{1,12}(\.\d{1,9})?$/, 'must be seconds since 1970, as 1700000000.25');

const path = z.string().describe('Absolute path in the sandbox.');
const overwrite = z
  .boolean()
  .optional()
  .describe('Replace what is there; false: `already_exists`.');
const recursive = z.boolean().optional().describe('With all that is below; false.');
const id = z.int().min(0).max(maxNumericId);

export const transferPathSchema = z.strictObject({ from: path, to: path, overwrite });
export type TransferPath = z.infer<typeof transferPathSchema>;

export const chmodSchema = z.strictObject({ path, mode: modeTextSchema, recursive });

export const chownSchema = z.strictObject({
  path,
  user: z
    .union([id, z.string().min(1).max(64)])
    .optional()
    .describe("Id, or name in the sandbox's /etc/passwd."),
  group: z
    .union([id, z.string().min(1).max(64)])
    .optional()
    .describe("Id, or name in the sandbox's /etc/group."),
  recursive,
  follow_symlinks: z
    .boolean()
    .optional()
    .describe('False: a symbolic link itself; true. Links below the path are never followed.'),
});
export type Chown = z.infer<typeof chownSchema>;

export const symlinkSchema = z.strictObject({
  path: path.describe('Where the link is made.'),
  target: z.string().min(1).max(3900).describe('Its text; need not lead anywhere.'),
  overwrite,
});

export const touchSchema = z.strictObject({
  path,
  mtime: timeTextSchema.optional().describe('Seconds since 1970; now.'),
  create: z.boolean().optional().describe('Make an empty file when nothing is there; true.'),
});

/** How many entries an operation changed. */
export const changedSchema = z.object({ path: z.string(), changed: z.int() });
