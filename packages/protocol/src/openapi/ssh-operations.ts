import { createSshKeySchema, sshKeySchema, sshSchema } from '../ssh.ts';
import type { Operation } from './operation.ts';
import { arrayOf, json } from './parts.ts';

/** SSH: where it is, and who may log in. */
export const sshOperations: readonly Operation[] = [
  {
    id: 'ssh',
    method: 'get',
    path: '/v1/ssh',
    summary: 'How to reach this daemon with clients of SSH.',
    description:
      'The user name is the id or the name of a sandbox, the password an API key. `sandport ssh` does it all.',
    tag: 'ssh',
    status: 200,
    response: json('Ssh', sshSchema),
    errors: ['ssh_off'],
  },
  {
    id: 'listSshKeys',
    method: 'get',
    path: '/v1/ssh-keys',
    summary: 'Public keys that the API key registered; for an administrator those of all keys.',
    tag: 'ssh',
    status: 200,
    response: arrayOf('SshKey', sshKeySchema),
    errors: [],
  },
  {
    id: 'createSshKey',
    method: 'post',
    path: '/v1/ssh-keys',
    summary: 'Registers a public key: whoever has its other half logs in as this API key.',
    description: 'It goes with the API key. Registering it again changes nothing.',
    tag: 'ssh',
    request: json('CreateSshKey', createSshKeySchema),
    status: 201,
    response: json('SshKey', sshKeySchema),
    errors: ['limit_reached'],
  },
  {
    id: 'deleteSshKey',
    method: 'delete',
    path: '/v1/ssh-keys/{id}',
    summary: 'Takes a public key back. Connections that are open stay.',
    tag: 'ssh',
    status: 204,
    errors: ['ssh_key_not_found'],
  },
];
