import { z } from 'zod';
import {
  commandEndFields,
  commandFields,
  oneOfCmdAndArgs,
  oneOfCmdAndArgsError,
} from './fields.ts';

/** Most bytes of `stdout` and of `stderr`, each, that `exec` gives back. */
export const maxExecOutputBytes = 10 * 1024 * 1024;

const execFields = {
  ...commandFields,
  stdin: z.string().optional().describe('Text given to the command, then its input is closed.'),
  stdin_base64: z.base64().optional().describe('The same for bytes.'),
  max_output_bytes: z
    .int()
    .min(0)
    .max(maxExecOutputBytes)
    .optional()
    .describe(`Bytes kept of each of stdout and stderr; ${maxExecOutputBytes}.`),
};

const oneStdin = (body: { stdin?: string | undefined; stdin_base64?: string | undefined }) =>
  body.stdin === undefined || body.stdin_base64 === undefined;
const oneStdinError = {
  message: 'only one of `stdin` and `stdin_base64` can be given',
  path: ['stdin'],
};

/** A command that is run to its end. */
export const execSchema = z
  .strictObject(execFields)
  .refine(oneOfCmdAndArgs, oneOfCmdAndArgsError)
  .refine(oneStdin, oneStdinError);
export type ExecRequest = z.infer<typeof execSchema>;

/** Body of `POST …/exec`: a command that is run to its end, or one that is left to itself. */
export const execOrStartSchema = z
  .strictObject({
    ...execFields,
    background: z
      .boolean()
      .optional()
      .describe(
        'True: it is kept, and the answer is 201 with the command, as of `POST …/commands`.',
      ),
  })
  .refine(oneOfCmdAndArgs, oneOfCmdAndArgsError)
  .refine(oneStdin, oneStdinError)
  .refine((body) => body.background !== true || body.max_output_bytes === undefined, {
    message: 'is for commands in the foreground; `POST …/commands` has `output_limit_bytes`',
    path: ['max_output_bytes'],
  });
export type ExecOrStart = z.infer<typeof execOrStartSchema>;

export const execResultSchema = z.object({
  stdout: z.string().describe('Invalid UTF-8 comes as U+FFFD.'),
  stderr: z.string().describe('Invalid UTF-8 comes as U+FFFD.'),
  ...commandEndFields,
  truncated: z.boolean().optional().describe('True when output was cut at the limit.'),
  duration_ms: z.number(),
});
export type ExecResult = z.infer<typeof execResultSchema>;
