import { z } from 'zod';
import { createdKeySchema, createKeySchema, healthSchema, keySchema } from '../key.ts';
import { createSandboxSchema, sandboxSchema } from '../sandbox.ts';
import { codeOperations } from './code-operations.ts';
import { commandOperations } from './command-operations.ts';
import { fileEntryOperations } from './file-entry-operations.ts';
import { fileOperations } from './file-operations.ts';
import { fileTransferOperations } from './file-transfer-operations.ts';
import { lifecycleOperations } from './lifecycle-operations.ts';
import { machineOperations } from './machine-operations.ts';
import type { Operation } from './operation.ts';
import { arrayOf, json, query } from './parts.ts';
import { portOperations } from './port-operations.ts';
import { sshOperations } from './ssh-operations.ts';
import { templateOperations } from './template-operations.ts';
import { volumeOperations } from './volume-operations.ts';

/** Every route of the native API. */
export const operations: readonly Operation[] = [
  {
    id: 'health',
    method: 'get',
    path: '/healthz',
    summary: 'Tells that the daemon serves requests.',
    tag: 'daemon',
    status: 200,
    response: json('Health', healthSchema),
    errors: [],
    open: true,
  },
  {
    id: 'version',
    method: 'get',
    path: '/version',
    summary: 'Release of the daemon.',
    tag: 'daemon',
    status: 200,
    response: json('Version', z.object({ version: z.string() })),
    errors: [],
  },
  {
    id: 'createSandbox',
    method: 'post',
    path: '/v1/sandboxes',
    summary: 'Makes a sandbox and answers when it takes commands.',
    tag: 'sandboxes',
    request: json('CreateSandbox', createSandboxSchema),
    status: 201,
    response: json('Sandbox', sandboxSchema),
    errors: [
      'unknown_template',
      'template_not_built',
      'snapshot_not_found',
      'memory_unavailable',
      'isolation_unavailable',
      'name_taken',
      'limit_reached',
      'create_failed',
      'disk_full',
      'forbidden',
      'network_beyond_bound',
      'network_unavailable',
    ],
  },
  {
    id: 'listSandboxes',
    method: 'get',
    path: '/v1/sandboxes',
    summary: 'Lists sandboxes, newest first.',
    description:
      'A bare array. When there are more, `X-Next-Cursor` and a `Link` header with rel="next" tell where the next page begins.',
    tag: 'sandboxes',
    parameters: [
      query('template', 'Only those of this template.'),
      query('status', 'Only those in this state.'),
      query('namespace', 'Only those of this namespace.'),
      query('metadata.KEY', 'Only those whose metadata has this value for KEY.'),
      query('limit', 'Most entries of a page; 1000.', { schema: { type: 'integer' } }),
      query('cursor', 'Where the page begins, from `X-Next-Cursor`.'),
    ],
    status: 200,
    response: arrayOf('Sandbox', sandboxSchema),
    errors: [],
  },
  {
    id: 'getSandbox',
    method: 'get',
    path: '/v1/sandboxes/{id}',
    summary: 'One sandbox, by id or name.',
    tag: 'sandboxes',
    status: 200,
    response: json('Sandbox', sandboxSchema),
    errors: ['sandbox_not_found'],
  },
  {
    id: 'deleteSandbox',
    method: 'delete',
    path: '/v1/sandboxes/{id}',
    summary: 'Ends a sandbox and removes all of it but its volumes.',
    tag: 'sandboxes',
    status: 204,
    errors: ['sandbox_not_found'],
  },
  ...lifecycleOperations,
  ...fileOperations,
  ...fileEntryOperations,
  ...fileTransferOperations,
  ...commandOperations,
  ...codeOperations,
  ...portOperations,
  ...templateOperations,
  ...volumeOperations,
  ...machineOperations,
  ...sshOperations,
  {
    id: 'listKeys',
    method: 'get',
    path: '/v1/keys',
    summary: 'All API keys, without the keys themselves.',
    tag: 'keys',
    status: 200,
    response: arrayOf('Key', keySchema),
    errors: ['forbidden'],
  },
  {
    id: 'createKey',
    method: 'post',
    path: '/v1/keys',
    summary: 'Makes an API key; the only answer that shows it.',
    tag: 'keys',
    request: json('CreateKey', createKeySchema),
    status: 201,
    response: json('CreatedKey', createdKeySchema),
    errors: ['forbidden'],
  },
  {
    id: 'deleteKey',
    method: 'delete',
    path: '/v1/keys/{id}',
    summary: 'Revokes an API key.',
    tag: 'keys',
    status: 204,
    errors: ['key_not_found', 'forbidden'],
  },
];
