import type { ErrorCode } from '../error-table.ts';
import {
  createPreviewTokenSchema,
  exposePortSchema,
  portSchema,
  previewTokenSchema,
} from '../port.ts';
import type { Operation } from './operation.ts';
import { arrayOf, json } from './parts.ts';

const proxyErrors: readonly ErrorCode[] = [
  'sandbox_not_found',
  'invalid_state',
  'limit_reached',
  'port_not_open',
  'bad_port_answer',
  'port_timeout',
  'sandbox_unresponsive',
];

/** What listens in sandboxes, and the ways to it. */
export const portOperations: readonly Operation[] = [
  {
    id: 'listPorts',
    method: 'get',
    path: '/v1/sandboxes/{id}/ports',
    summary: 'Ports that were exposed, and those on which the sandbox listens.',
    description: 'Does not wake the sandbox.',
    tag: 'ports',
    status: 200,
    response: arrayOf('Port', portSchema),
    errors: ['sandbox_not_found'],
  },
  {
    id: 'exposePort',
    method: 'post',
    path: '/v1/sandboxes/{id}/ports',
    summary: 'Gives a port an address for browsers, or changes who may use it.',
    tag: 'ports',
    request: json('ExposePort', exposePortSchema),
    status: 201,
    response: json('Port', portSchema),
    errors: ['sandbox_not_found', 'invalid_state', 'limit_reached'],
  },
  {
    id: 'unexposePort',
    method: 'delete',
    path: '/v1/sandboxes/{id}/ports/{port}',
    summary: 'Takes the address away; signed links stay good until they expire.',
    tag: 'ports',
    status: 204,
    errors: ['sandbox_not_found', 'port_not_exposed'],
  },
  {
    id: 'connectToPort',
    method: 'get',
    path: '/v1/sandboxes/{id}/ports/{port}/tcp',
    summary: 'A TCP connection to a port of the sandbox, in a WebSocket.',
    description:
      'Binary messages are its bytes, both ways; the text message `{"eof":true}` ends one direction. Wakes a hibernated sandbox.',
    tag: 'ports',
    status: 101,
    errors: [
      'sandbox_not_found',
      'invalid_state',
      'limit_reached',
      'port_not_open',
      'sandbox_unresponsive',
      'upgrade_required',
      'origin_not_allowed',
    ],
  },
  {
    id: 'createPreviewToken',
    method: 'post',
    path: '/v1/sandboxes/{id}/preview-token',
    summary: 'Makes a signed link to a port, for whoever has no key.',
    description: 'It ends with its time, with its sandbox, and with the key that made it.',
    tag: 'ports',
    request: json('CreatePreviewToken', createPreviewTokenSchema),
    status: 200,
    response: json('PreviewToken', previewTokenSchema),
    errors: ['sandbox_not_found'],
  },
  {
    id: 'proxyToPort',
    method: 'get',
    path: '/v1/sandboxes/{id}/proxy/{port}/{path}',
    summary: 'Leads to a web server in the sandbox, for those with a key.',
    description:
      'Any method, any body, and WebSockets. Wakes a hibernated sandbox. The answer is that of the server.',
    tag: 'ports',
    status: 200,
    response: { kind: 'bytes' },
    errors: proxyErrors,
  },
  {
    id: 'followPreviewLink',
    method: 'get',
    path: '/v1/p/{token}/{path}',
    summary: 'The same, by a signed link.',
    tag: 'ports',
    status: 200,
    response: { kind: 'bytes' },
    errors: [...proxyErrors, 'preview_unauthorized', 'preview_forbidden'],
    open: true,
  },
];
