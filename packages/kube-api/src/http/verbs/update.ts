import { KubeError } from '../../objects/kube-error.ts';
import type { KubeObject } from '../../objects/kube-object.ts';
import { trackUpdate } from '../../managed-fields/track-update.ts';
import { completeObject } from '../../schema/complete-object.ts';
import { convertObject } from '../../schema/convert-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { notFound } from '../../store/store-errors.ts';
import type { Caller } from '../caller.ts';
import type { ResourceTarget } from '../requests/resource-index.ts';
import { checkRoomForGrowth } from './check-room.ts';
import { type Storable, storable } from './stored-form.ts';
import type { WriteRequest } from './write-options.ts';

/** The object of the target, in the storage version and in that of the request. */
export interface Present {
  readonly stored: KubeObject;
  readonly before: KubeObject;
}

/** @throws KubeError `NotFound` */
export function presentObject(store: ObjectStore, target: ResourceTarget): Present {
  const { resource, key, version, namespace = '', name = '' } = target;
  const stored = store.get(key, namespace, name);
  if (stored === undefined) throw notFound(resource, name);
  return { stored, before: convertObject(resource, stored, version.name) };
}

export interface Update {
  readonly target: ResourceTarget;
  readonly caller: Caller;
  readonly present: Present;
  /** The object that is wanted, not yet checked, in the version of the request. */
  readonly wanted: unknown;
  /** True: `wanted` has its `managedFields`, as after a server-side apply. */
  readonly isTracked: boolean;
}

/**
 * Changes an object, or its status. The result is in the storage version.
 * @throws KubeError
 */
export function updateObject(
  store: ObjectStore,
  { target, caller, present, wanted, isTracked }: Update,
  { dryRun, fieldValidation, manager }: WriteRequest,
): Storable {
  const { resource, key, version, namespace, name, subresource } = target;
  const { stored, before } = present;
  const isStatus = subresource === 'status';
  const { object, warnings } = completeObject(
    resource,
    version.name,
    version.hasStatus ? withKeptHalf(before, wanted, isStatus) : wanted,
    { fieldValidation, before, namespace, name },
  );
  const change = {
    resource,
    versionName: version.name,
    before,
    after: object,
    manager,
    subresource,
  };
  checkRoomForGrowth(store, target, before, object);
  const tracked = isTracked ? object : trackUpdate(change);
  const admitted = storable(resource, tracked, {
    caller,
    before: stored,
    operation: isStatus ? 'status' : 'update',
  });
  return {
    object: store.update(key, admitted.object, { dryRun, status: isStatus }),
    warnings: [...warnings, ...admitted.warnings],
  };
}

/** Writes to the object leave the status alone, and writes to the status all else. */
function withKeptHalf(before: KubeObject, wanted: unknown, isStatus: boolean): unknown {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return wanted;
  const half = wanted as Readonly<Record<string, unknown>>;
  const { status: _, ...rest } = isStatus ? before : half;
  const kept = isStatus ? half['status'] : before.status;
  const whole = kept === undefined ? rest : { ...rest, status: kept };
  return isStatus ? { ...whole, metadata: statusMetadata(before, half) } : whole;
}

/** The version that the client had, and who is said to have set which field, are taken from it. */
function statusMetadata(before: KubeObject, half: Readonly<Record<string, unknown>>): unknown {
  const metadata = (half['metadata'] ?? {}) as Readonly<Record<string, unknown>>;
  const { name, namespace, uid, resourceVersion, managedFields } = metadata;
  return {
    ...before.metadata,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(managedFields === undefined ? {} : { managedFields }),
  };
}

/**
 * A whole new object must say which one it was made from.
 * @throws KubeError `Invalid`
 */
export function checkHasVersion({ resource, name = '' }: ResourceTarget, wanted: unknown): void {
  const { metadata } = (wanted ?? {}) as {
    readonly metadata?: { resourceVersion?: unknown } | null;
  };
  const version = metadata?.resourceVersion;
  if (typeof version === 'string' && version !== '') return;
  const message = 'Invalid value: 0: must be specified for an update';
  throw new KubeError(
    'Invalid',
    `${resource.kind}.${resource.group} ${JSON.stringify(name)} is invalid: metadata.resourceVersion: ${message}`,
    {
      name,
      group: resource.group,
      kind: resource.kind,
      causes: [{ field: 'metadata.resourceVersion', message, reason: 'FieldValueInvalid' }],
    },
  );
}
