import { z } from 'zod';
import {
  commandSchema,
  defaultOutputLimitBytes,
  execOrStartSchema,
  execResultSchema,
  execSchema,
  maxOutputPageBytes,
  maxSocketCommands,
  maxSocketMessageBytes,
  maxWaitSeconds,
  signalCommandSchema,
  startCommandSchema,
  terminalSizeSchema,
} from '../commands/index.ts';
import type { ErrorCode } from '../error-table.ts';
import type { Operation, Parameter } from './operation.ts';
import { arrayOf, flag, header, json, query } from './parts.ts';

const startErrors: readonly ErrorCode[] = [
  'sandbox_not_found',
  'invalid_state',
  'command_not_started',
  'sandbox_unresponsive',
];
const execErrors: readonly ErrorCode[] = [...startErrors, 'payload_too_large'];
const keptErrors: readonly ErrorCode[] = ['sandbox_not_found', 'command_not_found'];
const runningErrors: readonly ErrorCode[] = [...keptErrors, 'command_ended'];
const socketErrors: readonly ErrorCode[] = ['upgrade_required', 'origin_not_allowed'];

const integer = (name: string, description: string): Parameter =>
  query(name, description, { schema: { type: 'integer' } });

const terminalParameters: readonly Parameter[] = [
  integer('rows', '24.'),
  integer('cols', '80.'),
  query('cmd', 'Command line for the shell; the login shell of the user.'),
  query('cwd', 'Working directory; the workdir.'),
  query('user', 'User; that of the sandbox.'),
  query('term', 'Value of TERM; xterm-256color.'),
  flag('keep', 'It goes on when the connection ends, as one of `POST …/commands`.'),
  query('command_id', 'Attach to a kept command with a terminal, from what it wrote last on.'),
  query(
    'access_token',
    'The key, for web pages; they may also offer the subprotocol `bearer.KEY`.',
  ),
];
const terminalDescription =
  'WebSocket. Binary messages are input and output as they are. Text messages are JSON: `{"resize": {"rows", "cols"}}`, `{"stdin": text}` and `{"signal": name}` to the daemon; `{"command_id"}` with `keep`, `{"error", "code"}` and at the end `{"exit": code}` from it.';

export const commandOperations: readonly Operation[] = [
  {
    id: 'exec',
    method: 'post',
    path: '/v1/sandboxes/{id}/exec',
    summary: 'Runs a command to its end, or leaves it to itself.',
    description:
      'When the client goes away before the end, the command is killed. With `background` it is kept, and the answer is 201 with the command.',
    tag: 'commands',
    request: json('Exec', execOrStartSchema),
    status: 200,
    response: json('ExecResult', execResultSchema),
    errors: [...execErrors, 'limit_reached'],
  },
  {
    id: 'execStream',
    method: 'post',
    path: '/v1/sandboxes/{id}/exec/stream',
    summary: 'Runs a command and streams its output.',
    tag: 'commands',
    request: json('ExecStream', execSchema),
    status: 200,
    response: {
      kind: 'events',
      description:
        '`stdout` and `stderr` with `{"chunk": text}`, and `chunk_base64` when the bytes are not UTF-8; at the end `exit` with the result, or `error` with an error body.',
    },
    errors: execErrors,
  },
  {
    id: 'execSocket',
    method: 'get',
    path: '/v1/sandboxes/{id}/exec/ws',
    summary: 'Runs many commands over one WebSocket.',
    description: `Text messages are JSON. To the daemon: \`{"id", "cmd" or "args", …}\` starts a command, then \`{"id", "stdin"}\`, \`{"id", "stdin_base64"}\`, \`{"id", "eof": true}\`, \`{"id", "signal"}\`, \`{"id", "cancel": true}\`. From it: \`{"id", "started": {"pid", "command_id"}}\` with \`verbose\` (and \`woke\` when the sandbox had to be woken), \`{"id", "stream", "data"}\` (and \`data_base64\` when the bytes are not UTF-8), \`{"id", "exit", …}\`, \`{"id", "error", "code"}\`. Most at one time: ${maxSocketCommands} commands; most of a message: ${maxSocketMessageBytes} bytes. Commands end with the connection unless \`keep\` is given.`,
    tag: 'commands',
    parameters: [query('access_token', 'The key, for web pages.')],
    status: 101,
    errors: [...socketErrors, 'sandbox_not_found'],
  },
  {
    id: 'execTerminal',
    method: 'get',
    path: '/v1/sandboxes/{id}/exec/pty',
    summary: 'A terminal over a WebSocket.',
    description: terminalDescription,
    tag: 'commands',
    parameters: terminalParameters,
    status: 101,
    errors: [
      ...socketErrors,
      ...startErrors,
      'command_not_found',
      'command_ended',
      'not_a_terminal',
    ],
  },
  {
    id: 'shell',
    method: 'get',
    path: '/v1/sandboxes/{id}/ssh',
    summary: 'The same as `…/exec/pty`.',
    description: terminalDescription,
    tag: 'commands',
    parameters: terminalParameters,
    status: 101,
    errors: [
      ...socketErrors,
      ...startErrors,
      'command_not_found',
      'command_ended',
      'not_a_terminal',
    ],
  },
  {
    id: 'startCommand',
    method: 'post',
    path: '/v1/sandboxes/{id}/commands',
    summary: 'Starts a command that goes on without its client, and whose output is kept.',
    description: `It survives its client, the daemon, and a hibernation with memory. Of each stream the last ${defaultOutputLimitBytes} bytes are kept, or \`output_limit_bytes\`.`,
    tag: 'commands',
    request: json('StartCommand', startCommandSchema),
    status: 201,
    response: json('Command', commandSchema),
    errors: [...startErrors, 'payload_too_large', 'limit_reached'],
  },
  {
    id: 'listCommands',
    method: 'get',
    path: '/v1/sandboxes/{id}/commands',
    summary: 'The kept commands, oldest first; a bare array.',
    tag: 'commands',
    parameters: [query('status', 'Only those in this state.')],
    status: 200,
    response: arrayOf('Command', commandSchema),
    errors: ['sandbox_not_found'],
  },
  {
    id: 'getCommand',
    method: 'get',
    path: '/v1/sandboxes/{id}/commands/{command}',
    summary: 'One kept command.',
    tag: 'commands',
    parameters: [
      query('wait_seconds', `Answer at its end, or after so long; at most ${maxWaitSeconds}.`, {
        schema: { type: 'number' },
      }),
    ],
    status: 200,
    response: json('Command', commandSchema),
    errors: keptErrors,
  },
  {
    id: 'deleteCommand',
    method: 'delete',
    path: '/v1/sandboxes/{id}/commands/{command}',
    summary: 'Ends a command (SIGTERM, two seconds later SIGKILL) and forgets it.',
    tag: 'commands',
    status: 204,
    errors: keptErrors,
  },
  {
    id: 'signalCommand',
    method: 'post',
    path: '/v1/sandboxes/{id}/commands/{command}/signal',
    summary: 'Sends a signal to the process group of a command.',
    tag: 'commands',
    request: json('SignalCommand', signalCommandSchema),
    status: 204,
    errors: runningErrors,
  },
  {
    id: 'resizeCommand',
    method: 'post',
    path: '/v1/sandboxes/{id}/commands/{command}/resize',
    summary: 'Changes the size of the terminal of a command.',
    tag: 'commands',
    request: json('TerminalSize', terminalSizeSchema),
    status: 204,
    errors: [...runningErrors, 'not_a_terminal'],
  },
  {
    id: 'writeCommandInput',
    method: 'put',
    path: '/v1/sandboxes/{id}/commands/{command}/stdin',
    summary: 'Gives bytes to the input of a command, as fast as it takes them.',
    tag: 'commands',
    parameters: [flag('eof', 'End the input behind the bytes.')],
    request: { kind: 'bytes' },
    status: 200,
    response: json(
      'WrittenInput',
      z.object({ bytes: z.int().describe('Bytes that it was given.') }),
    ),
    errors: [...runningErrors, 'stdin_closed', 'incomplete_body', 'request_timeout'],
  },
  {
    id: 'readCommandOutput',
    method: 'get',
    path: '/v1/sandboxes/{id}/commands/{command}/output',
    summary: 'What a command wrote, from an offset on; or as it comes.',
    description:
      'Bytes of one stream; `X-Sandport-Offset` tells where they begin (behind `since` when older ones are gone) and `X-Sandport-Next-Offset` where the next page does. With `follow` a stream of events of both: `stdout` and `stderr` with `{"offset", "chunk"}` (and `chunk_base64` when the bytes are not UTF-8), `gap` with `{"stream", "from", "to"}` where bytes are gone, and at the end `exit` with the command. Each has an id, which a client that comes back sends as `Last-Event-ID`.',
    tag: 'commands',
    parameters: [
      query('stream', '`stdout`, or `stderr`; stdout.'),
      integer('since', 'Offset of the first byte; 0.'),
      integer('limit', `Most bytes; ${maxOutputPageBytes}.`),
      flag('follow', 'Send events until it ends.'),
      integer('stdout_since', 'With `follow`: offset of the first byte of stdout; 0.'),
      integer('stderr_since', 'With `follow`: offset of the first byte of stderr; 0.'),
      header('Last-Event-ID', 'With `follow`: go on behind this event.'),
    ],
    status: 200,
    response: { kind: 'bytes' },
    errors: keptErrors,
  },
];
