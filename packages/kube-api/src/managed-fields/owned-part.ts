import type { JsonObject } from '../objects/json.ts';
import type { Resource } from '../objects/resource.ts';
import { versionOf } from '../schema/version-schema.ts';
import { difference, type FieldSet, leafSet, setOf } from './field-set.ts';

/** Fields that the server sets: nobody owns them. */
const serversFields: FieldSet = setOf([
  ['f:apiVersion', leafSet],
  ['f:kind', leafSet],
  [
    'f:metadata',
    setOf(
      [
        'creationTimestamp',
        'deletionGracePeriodSeconds',
        'deletionTimestamp',
        'generation',
        'managedFields',
        'name',
        'namespace',
        'resourceVersion',
        'selfLink',
        'uid',
      ].map((field) => [`f:${field}`, leafSet]),
      true,
    ),
  ],
]);

export const withoutServersFields = (set: FieldSet): FieldSet => difference(set, serversFields);

/**
 * The part of an object that a request can change: `/status` the status only, the object itself all
 * but a status that has a `/status`.
 */
export function ownedPart(
  resource: Resource,
  versionName: string,
  object: JsonObject,
  subresource: string | undefined,
): JsonObject {
  const { apiVersion, kind, status, ...rest } = object;
  if (subresource === 'status') {
    return { apiVersion, kind, ...(status === undefined ? {} : { status }) };
  }
  const isApart = versionOf(resource, versionName).hasStatus;
  return { apiVersion, kind, ...rest, ...(isApart || status === undefined ? {} : { status }) };
}
