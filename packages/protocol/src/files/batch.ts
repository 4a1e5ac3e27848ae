import { z } from 'zod';
import { errorCodes } from '../error-table.ts';
import { maxNumericId } from './ids.ts';
import { modeTextSchema, timeTextSchema } from './write.ts';

/** Most files of one batch. */
export const maxBatchFiles = 10_000;
/** Longest contents of one file in a batch, in bytes. Longer ones go on their own. */
export const maxBatchFileBytes = 16 * 1024 * 1024;

const path = z.string().describe('Absolute path in the sandbox.');

/** One line of the body of a batch write: a file. */
export const batchFileSchema = z.strictObject({
  path,
  content: z.string().optional().describe('Contents as text, written as UTF-8.'),
  content_base64: z.base64().optional().describe('Contents as Base64. One of the two.'),
  mode: modeTextSchema.optional(),
  uid: z.int().min(0).max(maxNumericId).optional(),
  gid: z.int().min(0).max(maxNumericId).optional(),
  mtime: timeTextSchema.optional().describe('Seconds since 1970.'),
  if_match: z.string().optional().describe('Write only over the file with this validator.'),
  if_none_match: z.literal('*').optional().describe('Write only where nothing is.'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe('Checked before the file appears.'),
});
export type BatchFile = z.infer<typeof batchFileSchema>;

const failure = z.object({
  path: z.string(),
  ok: z.literal(false),
  error: z.string().describe('One sentence.'),
  code: z.enum(errorCodes),
});
export type BatchFailure = z.infer<typeof failure>;

export const batchWriteResultSchema = z.object({
  results: z
    .array(
      z.discriminatedUnion('ok', [
        z.object({
          path: z.string(),
          ok: z.literal(true),
          bytes: z.int(),
          etag: z.string(),
        }),
        failure,
      ]),
    )
    .describe('In the order of the request.'),
  succeeded: z.int(),
  failed: z.int(),
});
export type BatchWriteResult = z.infer<typeof batchWriteResultSchema>;

export const batchReadSchema = z.strictObject({
  paths: z.array(path).max(maxBatchFiles),
  mode: z
    .enum(['each', 'all'])
    .optional()
    .describe('`all`: no contents unless every file can be read. `each`.'),
});

/** One line of the answer to a batch read. */
export const batchReadLineSchema = z.discriminatedUnion('ok', [
  z.object({
    path: z.string(),
    ok: z.literal(true),
    size: z.int(),
    permissions: z.string(),
    modified_at: z.iso.datetime(),
    etag: z.string(),
    sha256: z.string().describe('SHA-256 of the contents, in hex.'),
    content_base64: z.string(),
  }),
  failure,
]);
export type BatchReadLine = z.infer<typeof batchReadLineSchema>;

export const batchRemoveSchema = z.strictObject({
  paths: z.array(path).max(maxBatchFiles),
  recursive: z.boolean().optional().describe('Remove directories with all that is in them; true.'),
  must_exist: z.boolean().optional().describe('A missing path is a failure; false.'),
});

export const batchRemoveResultSchema = z.object({
  results: z.array(
    z.discriminatedUnion('ok', [z.object({ path: z.string(), ok: z.literal(true) }), failure]),
  ),
  succeeded: z.int(),
  failed: z.int(),
});
export type BatchRemoveResult = z.infer<typeof batchRemoveResultSchema>;
