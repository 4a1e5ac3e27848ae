import { z } from 'zod';
import { fileEntrySchema } from './entry.ts';

/** Most entries of one page. Longer listings come in pages. */
export const maxPageEntries = 100_000;

export const directoryListingSchema = z.object({
  path: z.string(),
  entries: z
    .array(fileEntrySchema)
    .describe('In tree order: sorted by name, byte by byte; a directory before what is in it.'),
  truncated: z.boolean().describe('True when there is more: ask again with `cursor`.'),
  cursor: z.string().optional().describe('Where the next page begins.'),
});
export type DirectoryListing = z.infer<typeof directoryListingSchema>;

export const diskUsageSchema = z.object({
  path: z.string(),
  files: z.int(),
  directories: z.int().describe('Those below the path; the path itself is not counted.'),
  symlinks: z.int(),
  others: z.int(),
  size_bytes: z.int().describe('Sum of the lengths of regular files; hard links count once.'),
  disk_bytes: z.int().describe('What the tree takes on the disk, in whole blocks.'),
});
export type DiskUsage = z.infer<typeof diskUsageSchema>;

export const fileChangeSchema = z.object({
  path: z.string(),
  name_base64: z.string().optional().describe('Base64 of the name, when it is not UTF-8.'),
  change: z.enum(['added', 'modified', 'deleted']),
  type: z.enum(['file', 'directory', 'symlink', 'other']),
  size: z.int().describe('Bytes now; of what is deleted, bytes in the template.'),
  previous_size: z.int().optional().describe('Bytes in the template, of what is modified.'),
});
export type FileChange = z.infer<typeof fileChangeSchema>;

export const changesSchema = z.object({
  path: z.string(),
  changes: z
    .array(fileChangeSchema)
    .describe('In tree order. Of a deleted directory only the directory itself.'),
  truncated: z.boolean(),
  cursor: z.string().optional(),
});
export type Changes = z.infer<typeof changesSchema>;
