import { z } from 'zod';
import {
  commandEndFields,
  commandFields,
  oneOfCmdAndArgs,
  oneOfCmdAndArgsError,
} from './fields.ts';
import { signalSchema } from './signal.ts';

/** 32 hexadecimal digits, made by the daemon. */
export const commandIdSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .brand<'CommandId'>();
export type CommandId = z.infer<typeof commandIdSchema>;

/** Most kept commands of a sandbox, those that have ended included. */
export const maxKeptCommands = 256;
/** Kept commands that have ended are forgotten, oldest first, beyond so many. */
export const maxEndedCommands = 128;
/** How long a command that has ended is kept, in seconds. */
export const endedCommandSeconds = 86_400;

/** Of each stream, where nothing is said. */
export const defaultOutputLimitBytes = 16 * 1024 * 1024;
const maxOutputLimitBytes = 1024 * 1024 * 1024;
/** Less could not hold what the init of the sandbox sends at once. */
const minOutputLimitBytes = 64 * 1024;

/** Most rows, and most columns, of a terminal. */
export const maxTerminalSide = 1000;
const terminalSide = z.int().min(1).max(maxTerminalSide);

export const terminalSizeSchema = z.strictObject({ rows: terminalSide, cols: terminalSide });
export type TerminalSizeBody = z.infer<typeof terminalSizeSchema>;

/** Body of `POST …/commands`. */
export const startCommandSchema = z
  .strictObject({
    ...commandFields,
    stdin: z
      .boolean()
      .optional()
      .describe(
        'True: it has an input that stays open until it is closed; false: it reads its end at once. False; true with `tty`.',
      ),
    tty: terminalSizeSchema.optional().describe('Gives it a terminal: all it writes is stdout.'),
    output_limit_bytes: z
      .int()
      .min(minOutputLimitBytes)
      .max(maxOutputLimitBytes)
      .optional()
      .describe(
        `Bytes kept of each of stdout and stderr, older ones go; ${defaultOutputLimitBytes}.`,
      ),
  })
  .refine(oneOfCmdAndArgs, oneOfCmdAndArgsError);
export type StartCommand = z.infer<typeof startCommandSchema>;

export const commandStatusSchema = z.enum(['running', 'ended', 'lost']);
export type CommandStatus = z.infer<typeof commandStatusSchema>;

const offset = z.int().min(0);
const { exit_code, ...endFields } = commandEndFields;

/** A command that is kept. */
export const commandSchema = z.object({
  id: commandIdSchema,
  pid: z.int().optional().describe('Process id inside the sandbox, while it runs.'),
  cmd: z.string().optional().describe('As it was started.'),
  args: z.array(z.string()).optional().describe('As it was started.'),
  shortened: z.boolean().optional().describe('True: `cmd` or `args` is too long to be kept whole.'),
  cwd: z.string(),
  user: z.string(),
  tty: z.boolean(),
  stdin: z.boolean().describe('True: it can be given input now.'),
  status: commandStatusSchema.describe(
    '`lost`: its processes went with those of the sandbox, and nobody knows how it ended.',
  ),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime().optional(),
  exit_code: exit_code.optional(),
  ...endFields,
  stdout_start: offset.describe('Offset of the first byte of stdout that is still there.'),
  stdout_bytes: offset.describe('Bytes that it has written to stdout, from its start.'),
  stderr_start: offset.describe('The same of stderr.'),
  stderr_bytes: offset.describe('The same of stderr.'),
});
export type CommandObject = z.infer<typeof commandSchema>;

export const signalCommandSchema = z.strictObject({
  signal: signalSchema.optional().describe('To its process group; SIGTERM.'),
});

/** Longest time that one request waits for the end of a command, in seconds. */
export const maxWaitSeconds = 60;
/** Most bytes of one answer of `GET …/output`. */
export const maxOutputPageBytes = 16 * 1024 * 1024;
