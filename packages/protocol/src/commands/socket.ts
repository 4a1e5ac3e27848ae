import { z } from 'zod';
import { terminalSizeSchema } from './command.ts';
import { commandFields, oneOfCmdAndArgs, oneOfCmdAndArgsError } from './fields.ts';
import { signalSchema } from './signal.ts';

/** Most bytes of one message on a WebSocket, in either direction. */
export const maxSocketMessageBytes = 1024 * 1024;
/** Most commands at one time on one connection of `…/exec/ws`. */
export const maxSocketCommands = 64;

/** The client chooses it; it names a command on its connection, and is free again at its end. */
const id = z.union([z.string().max(128), z.int()]);

/** Message to `WS …/exec/ws` that starts a command. */
export const socketStartSchema = z
  .strictObject({
    id,
    ...commandFields,
    stdin: z.boolean().optional().describe('True: it has an input; false.'),
    keep: z.boolean().optional().describe('True: it goes on when the connection ends; false.'),
    verbose: z.boolean().optional().describe('True: `started` tells that it runs; false.'),
  })
  .refine(oneOfCmdAndArgs, oneOfCmdAndArgsError);
export type SocketStart = z.infer<typeof socketStartSchema>;

/** Message to `WS …/exec/ws` about a command that runs: exactly one of the fields beside `id`. */
export const socketControlSchema = z
  .strictObject({
    id,
    stdin: z.string().optional().describe('Input for it.'),
    stdin_base64: z.base64().optional().describe('The same for bytes.'),
    eof: z.literal(true).optional().describe('Its input ends.'),
    signal: signalSchema.optional().describe('To its process group.'),
    cancel: z.literal(true).optional().describe('Ends it: SIGTERM, two seconds later SIGKILL.'),
  })
  .refine((body) => Object.keys(body).length === 2, {
    message: 'exactly one of `stdin`, `stdin_base64`, `eof`, `signal`, `cancel` is needed',
    path: ['id'],
  });
export type SocketControl = z.infer<typeof socketControlSchema>;

/** Text message to `WS …/exec/pty` and `WS …/ssh`; binary ones are input as it is. */
export const terminalMessageSchema = z.strictObject({
  resize: terminalSizeSchema.optional(),
  stdin: z.string().optional(),
  signal: signalSchema.optional(),
});
