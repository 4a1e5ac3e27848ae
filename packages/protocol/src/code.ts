import { z } from 'zod';
import { envSchema, userSchema } from './sandbox.ts';

/** What code can be written in. */
export const codeLanguages = ['python', 'javascript', 'shell'] as const;
export type CodeLanguage = (typeof codeLanguages)[number];

/** Most bytes of what a run writes, and of its results, that are given back. */
export const maxCodeOutputBytes = 10 * 1024 * 1024;
/** Most characters of the code of one run. */
export const maxCodeLength = 1024 * 1024;
/** Contexts of one sandbox at one time. */
export const maxCodeContexts = 16;

const code = z
  .string()
  .max(maxCodeLength)
  .refine((text) => !text.includes('\0'), 'must not hold a NUL character');
const timeoutMs = z
  .int()
  .min(1)
  .max(86_400_000)
  .optional()
  .describe('Milliseconds after which the code is interrupted; 30000.');
const language = z
  .string()
  .min(1)
  .max(100)
  .describe(
    'python, javascript or shell, or one of their aliases: py, python3, js, node, bash, sh.',
  );

export const createCodeContextSchema = z.strictObject({
  language: language.optional().describe('python, javascript or shell; python.'),
  cwd: z.string().startsWith('/').max(4096).optional().describe('Where it begins; the workdir.'),
  env: envSchema.optional().describe('Added to the environment of the sandbox.'),
  user: userSchema.optional().describe('User name or number; the user of the sandbox.'),
});
export type CreateCodeContext = z.infer<typeof createCodeContextSchema>;

export const codeContextSchema = z.object({
  id: z.string(),
  sandbox_id: z.string(),
  language: z.enum(codeLanguages),
  status: z
    .enum(['idle', 'busy', 'ended'])
    .describe('`ended`: its variables are lost; the next run begins anew.'),
  cwd: z.string().optional(),
  is_default: z.boolean().describe('True: it serves `POST …/repl`.'),
  created_at: z.iso.datetime(),
});
export type CodeContextObject = z.infer<typeof codeContextSchema>;

export const runCodeSchema = z.strictObject({ code, timeout_ms: timeoutMs });
export type RunCode = z.infer<typeof runCodeSchema>;

export const replSchema = z.strictObject({ language, code, timeout_ms: timeoutMs });
export type Repl = z.infer<typeof replSchema>;

export const codeErrorSchema = z.object({
  name: z.string().describe('As `ZeroDivisionError`.'),
  value: z.string().describe('Its message.'),
  traceback: z.array(z.string()).describe('Lines; those of Python have colours for terminals.'),
});
export type CodeError = z.infer<typeof codeErrorSchema>;

/** What a run came to, without what it wrote. */
export const codeEndSchema = z.object({
  exit: z.int().describe('0; 1 after an error; for shell the exit status of the last command.'),
  error: z.string().optional().describe('Name and message of the error that ended the code.'),
  error_details: codeErrorSchema.optional(),
  execution_count: z.int().optional().describe('How many runs the kernel has had.'),
  timed_out: z.boolean().optional().describe('True when `timeout_ms` ended the code.'),
  restarted: z
    .boolean()
    .optional()
    .describe('True when the variables of earlier runs were lost before this one.'),
  truncated: z.boolean().optional().describe('True when output or results were left out.'),
  duration_ms: z.number(),
});
export type CodeEnd = z.infer<typeof codeEndSchema>;

/** A result in several forms: MIME type → text; binary ones in base64, JSON as JSON text. */
export const codeResultSchema = z.record(z.string(), z.string());
export type CodeResult = z.infer<typeof codeResultSchema>;

export const codeRunSchema = codeEndSchema.extend({
  stdout: z.string().describe('Invalid UTF-8 comes as U+FFFD.'),
  stderr: z.string().describe('Invalid UTF-8 comes as U+FFFD.'),
  results: z.array(codeResultSchema),
});
export type CodeRun = z.infer<typeof codeRunSchema>;

export const replResultSchema = codeRunSchema.extend({
  language: z.enum(codeLanguages),
  exit_code: z.int().describe('The same as `exit`.'),
});
export type ReplResult = z.infer<typeof replResultSchema>;
