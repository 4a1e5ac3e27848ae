import { z } from 'zod';
import {
  codeContextSchema,
  codeLanguages,
  codeRunSchema,
  createCodeContextSchema,
  maxCodeContexts,
  replResultSchema,
  replSchema,
  runCodeSchema,
} from '../code.ts';
import type { ErrorCode } from '../error-table.ts';
import type { Body, Operation } from './operation.ts';
import { arrayOf, json } from './parts.ts';

const startErrors: readonly ErrorCode[] = [
  'sandbox_not_found',
  'invalid_state',
  'language_unavailable',
  'kernel_not_started',
  'limit_reached',
  'sandbox_unresponsive',
];
const contextErrors: readonly ErrorCode[] = ['sandbox_not_found', 'context_not_found'];
const runErrors: readonly ErrorCode[] = [...startErrors, 'context_not_found'];

const outputEvents: Body = {
  kind: 'events',
  description:
    '`stdout` and `stderr` with `{"chunk": text}`, and `chunk_base64` when the bytes are not UTF-8; `result` with MIME types and texts; `error` with `{"name", "value", "traceback"}`; at the end `end` with what a run without a stream answers beside output and results. When the run itself fails, `failure` with an error body comes in its place.',
};

/** Code whose variables live from one run to the next. */
export const codeOperations: readonly Operation[] = [
  {
    id: 'repl',
    method: 'post',
    path: '/v1/sandboxes/{id}/repl',
    summary: 'Runs code in the default context of a language, which is made when there is none.',
    description:
      'When the client goes away before the end, the code is interrupted. Results are text by MIME type: binary ones in base64, JSON as JSON text.',
    tag: 'code',
    request: json('Repl', replSchema),
    status: 200,
    response: json('ReplResult', replResultSchema),
    errors: startErrors,
  },
  {
    id: 'replStream',
    method: 'post',
    path: '/v1/sandboxes/{id}/repl/stream',
    summary: 'Runs code in the default context of a language and streams what it gives.',
    tag: 'code',
    request: json('ReplStream', replSchema),
    status: 200,
    response: outputEvents,
    errors: startErrors,
  },
  {
    id: 'listCodeLanguages',
    method: 'get',
    path: '/v1/sandboxes/{id}/repl/languages',
    summary: 'Lists the languages that code can be in.',
    description: 'Whether the sandbox has what one needs is seen when code is run.',
    tag: 'code',
    status: 200,
    response: json('CodeLanguages', z.array(z.enum(codeLanguages))),
    errors: ['sandbox_not_found'],
  },
  {
    id: 'createCodeContext',
    method: 'post',
    path: '/v1/sandboxes/{id}/repl/sessions',
    summary: 'Makes a code context, and answers when code can run in it.',
    description: `A sandbox has at most ${maxCodeContexts} contexts, default ones included.`,
    tag: 'code',
    request: json('CreateCodeContext', createCodeContextSchema),
    status: 201,
    response: json('CodeContext', codeContextSchema),
    errors: [...startErrors, 'command_not_started'],
  },
  {
    id: 'listCodeContexts',
    method: 'get',
    path: '/v1/sandboxes/{id}/repl/sessions',
    summary: 'Lists the code contexts.',
    tag: 'code',
    status: 200,
    response: arrayOf('CodeContext', codeContextSchema),
    errors: ['sandbox_not_found'],
  },
  {
    id: 'getCodeContext',
    method: 'get',
    path: '/v1/sandboxes/{id}/repl/sessions/{context}',
    summary: 'Tells about a code context.',
    tag: 'code',
    status: 200,
    response: json('CodeContextDetails', codeContextSchema),
    errors: contextErrors,
  },
  {
    id: 'deleteCodeContext',
    method: 'delete',
    path: '/v1/sandboxes/{id}/repl/sessions/{context}',
    summary: 'Ends a code context, and the code that runs in it.',
    tag: 'code',
    status: 204,
    errors: contextErrors,
  },
  {
    id: 'runInCodeContext',
    method: 'post',
    path: '/v1/sandboxes/{id}/repl/sessions/{context}/run',
    summary: 'Runs code, after what runs in the context already.',
    description:
      'Code that is not done in time, or whose client goes away, is interrupted; when that does not end it within 2 seconds, its kernel is killed, and the variables are lost.',
    tag: 'code',
    request: json('RunCode', runCodeSchema),
    status: 200,
    response: json('CodeRun', codeRunSchema),
    errors: runErrors,
  },
  {
    id: 'streamInCodeContext',
    method: 'post',
    path: '/v1/sandboxes/{id}/repl/sessions/{context}/run/stream',
    summary: 'Runs code and streams what it gives.',
    tag: 'code',
    request: json('RunCodeStream', runCodeSchema),
    status: 200,
    response: outputEvents,
    errors: runErrors,
  },
  {
    id: 'interruptCodeContext',
    method: 'post',
    path: '/v1/sandboxes/{id}/repl/sessions/{context}/interrupt',
    summary: 'Interrupts the code that runs in a context.',
    description: 'No error when none runs. The variables stay.',
    tag: 'code',
    status: 204,
    errors: contextErrors,
  },
  {
    id: 'restartCodeContext',
    method: 'post',
    path: '/v1/sandboxes/{id}/repl/sessions/{context}/restart',
    summary: 'Starts the kernel of a context anew: its variables are gone.',
    tag: 'code',
    status: 200,
    response: json('RestartedCodeContext', codeContextSchema),
    errors: runErrors,
  },
];
