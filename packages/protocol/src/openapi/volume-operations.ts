import { createVolumeSchema, volumeSchema } from '../volume.ts';
import { fileEntryOperations } from './file-entry-operations.ts';
import { fileOperations } from './file-operations.ts';
import { fileTransferOperations } from './file-transfer-operations.ts';
import type { Operation } from './operation.ts';
import { arrayOf, json, query } from './parts.ts';

const namespace = query('namespace', 'Namespace of the volume; `default`.');
const sandboxFiles = '/v1/sandboxes/{id}/fs';

/** The file routes of sandboxes that volumes have too, without any sandbox. */
const volumeFileOperations: readonly Operation[] = [
  ...fileOperations,
  ...fileEntryOperations,
  ...fileTransferOperations,
]
  .filter(({ path }) => path.startsWith(sandboxFiles) && !/\/fs\/(changes|links)/.test(path))
  .map((operation) => ({
    ...operation,
    id: `volume${operation.id.charAt(0).toUpperCase()}${operation.id.slice(1)}`,
    path: operation.path.replace(sandboxFiles, '/v1/volumes/{name}/fs'),
    tag: 'volumes',
    parameters: [namespace, ...(operation.parameters ?? [])],
    errors: [
      'volume_not_found',
      ...operation.errors.filter(
        (code) => code !== 'sandbox_not_found' && code !== 'invalid_state',
      ),
    ],
  }));

/** Storage that outlives sandboxes. */
export const volumeOperations: readonly Operation[] = [
  {
    id: 'listVolumes',
    method: 'get',
    path: '/v1/volumes',
    summary: 'All volumes, or those of a namespace.',
    tag: 'volumes',
    parameters: [query('namespace', 'Only those of this namespace.')],
    status: 200,
    response: arrayOf('Volume', volumeSchema),
    errors: [],
  },
  {
    id: 'createVolume',
    method: 'post',
    path: '/v1/volumes',
    summary: 'Makes a volume; no error when it is there with the same size.',
    tag: 'volumes',
    request: json('CreateVolume', createVolumeSchema),
    status: 201,
    response: json('Volume', volumeSchema),
    errors: ['forbidden', 'volume_exists', 'limit_reached', 'disk_full'],
  },
  {
    id: 'getVolume',
    method: 'get',
    path: '/v1/volumes/{name}',
    summary: 'One volume.',
    tag: 'volumes',
    parameters: [namespace],
    status: 200,
    response: json('Volume', volumeSchema),
    errors: ['volume_not_found'],
  },
  {
    id: 'deleteVolume',
    method: 'delete',
    path: '/v1/volumes/{name}',
    summary: 'Deletes a volume and its data.',
    tag: 'volumes',
    parameters: [namespace],
    status: 204,
    errors: ['volume_not_found', 'volume_in_use'],
  },
  ...volumeFileOperations,
];
