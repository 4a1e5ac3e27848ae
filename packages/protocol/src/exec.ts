import { z } from 'zod';
import { envSchema, userSchema } from './sandbox.ts';

const noNul = z.string().refine((text) => !text.includes('\0'), 'must not hold a NUL byte');

/** Most bytes of `stdout` and of `stderr`, each, that `exec` gives back. */
export const maxExecOutputBytes = 10 * 1024 * 1024;

export const execSchema = z
  .strictObject({
    cmd: noNul.min(1).optional().describe('Command line for the shell (/bin/sh -c).'),
    args: z.array(noNul).min(1).optional().describe('Program and arguments, without a shell.'),
    cwd: noNul.startsWith('/').optional().describe('Working directory; the workdir.'),
    env: envSchema.optional().describe('Added to the environment of the sandbox.'),
    user: userSchema.optional().describe('User name or number; the user of the sandbox.'),
    timeout_seconds: z
      .number()
      .min(0)
      .max(604_800)
      .optional()
      .describe('Seconds after which the process group is ended; 0 or left out: never.'),
    stdin: z.string().optional().describe('Text given to the command, then its input is closed.'),
    stdin_base64: z.base64().optional().describe('The same for bytes.'),
    max_output_bytes: z
      .int()
      .min(0)
      .max(maxExecOutputBytes)
      .optional()
      .describe(`Bytes kept of each of stdout and stderr; ${maxExecOutputBytes}.`),
  })
  .refine((body) => (body.cmd === undefined) !== (body.args === undefined), {
    message: 'exactly one of `cmd` and `args` is needed',
    path: ['cmd'],
  })
  .refine((body) => body.stdin === undefined || body.stdin_base64 === undefined, {
    message: 'only one of `stdin` and `stdin_base64` can be given',
    path: ['stdin'],
  });
export type ExecRequest = z.infer<typeof execSchema>;

export const execResultSchema = z.object({
  stdout: z.string().describe('Invalid UTF-8 comes as U+FFFD.'),
  stderr: z.string().describe('Invalid UTF-8 comes as U+FFFD.'),
  exit_code: z.int().describe('Exit code, or 128 + number of the signal that ended it.'),
  signal: z.string().optional().describe('Name of the signal that ended it, as SIGKILL.'),
  timed_out: z.boolean().optional().describe('True when `timeout_seconds` ended it.'),
  oom_killed: z.boolean().optional().describe('True when the memory limit ended it.'),
  truncated: z.boolean().optional().describe('True when output was cut at the limit.'),
  duration_ms: z.number(),
});
export type ExecResult = z.infer<typeof execResultSchema>;
