import { z } from 'zod';
import { envSchema, userSchema } from '../sandbox.ts';

const noNul = z.string().refine((text) => !text.includes('\0'), 'must not hold a NUL byte');

/** What every command can be given. */
export const commandFields = {
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
};

/** For `refine`: exactly one of the two ways to say what is run. */
export const oneOfCmdAndArgs = (body: {
  cmd?: string | undefined;
  args?: string[] | undefined;
}): boolean => (body.cmd === undefined) !== (body.args === undefined);

export const oneOfCmdAndArgsError = {
  message: 'exactly one of `cmd` and `args` is needed',
  path: ['cmd'],
};

/** How a command ended, as every answer tells it. */
export const commandEndFields = {
  exit_code: z.int().describe('Exit code, or 128 + number of the signal that ended it.'),
  signal: z.string().optional().describe('Name of the signal that ended it, as SIGKILL.'),
  timed_out: z.boolean().optional().describe('True when `timeout_seconds` ended it.'),
  oom_killed: z.boolean().optional().describe('True when the memory limit ended it.'),
};
