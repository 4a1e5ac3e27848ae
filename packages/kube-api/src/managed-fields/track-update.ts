import { type KubeObject, kubeTime, type ManagedFields } from '../objects/kube-object.ts';
import { groupVersion, type Resource } from '../objects/resource.ts';
import { convertObject } from '../schema/convert-object.ts';
import { sameValue } from '../store/same-object.ts';
import { changeOwners, differencesOf } from './change-owners.ts';
import { difference, emptySet, isEmpty, union } from './field-set.ts';
import { type Managers, managerKey, readManagers, writeManagers } from './managers.ts';

/** A change by create, update or patch. */
export interface FieldChange {
  readonly resource: Resource;
  /** Version of the request, and of `after`. */
  readonly versionName: string;
  /** As it is, in any version; undefined for a new object. */
  readonly before: KubeObject | undefined;
  readonly after: KubeObject;
  /** See `managerName`. */
  readonly manager: string;
  /** As `status`. */
  readonly subresource?: string | undefined;
  /** @default the present */
  readonly at?: Date | undefined;
}

/**
 * `after` with `metadata.managedFields` that say who set which field. A client may write them
 * itself; one list with one empty entry forgets them.
 */
export function trackUpdate(change: FieldChange): KubeObject {
  const { resource, versionName, after, manager, subresource, at } = change;
  const before =
    change.before === undefined ? undefined : convertObject(resource, change.before, versionName);
  const sent = after.metadata.managedFields;
  if (isReset(sent)) return withManagedFields(after, []);
  const managers = managersBefore(before, sent, subresource);
  const identity = {
    manager,
    operation: 'Update' as const,
    apiVersion: groupVersion(resource.group, versionName),
    subresource,
  };
  const self = managerKey(identity);
  const differences = differencesOf({ resource, versionName, subresource, before, after });
  const { managers: next } = changeOwners(resource, managers, self, differences);
  const { changed, removed } = differences(versionName);
  const earlier = managers.get(self);
  const fields = union(difference(earlier?.fields ?? emptySet, removed), changed);
  const isSame = isEmpty(changed) && isEmpty(removed);
  if (isEmpty(fields)) next.delete(self);
  else next.set(self, { ...identity, fields, time: isSame ? earlier?.time : kubeTime(at) });
  return withManagedFields(after, writeManagers(next));
}

const isReset = (managedFields: readonly ManagedFields[] | undefined): boolean =>
  managedFields?.length === 1 && sameValue(managedFields[0], {});

/** Those that the client sent, where it sent any that can be read; else those that were. */
function managersBefore(
  before: KubeObject | undefined,
  sent: readonly ManagedFields[] | undefined,
  subresource: string | undefined,
): Managers {
  const asSent = subresource === undefined ? readManagers(sent) : undefined;
  if (asSent !== undefined && asSent.size > 0) return asSent;
  return readManagers(before?.metadata.managedFields) ?? new Map();
}

export function withManagedFields(
  object: KubeObject,
  managedFields: readonly ManagedFields[],
): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: managedFields.length === 0 ? metadata : { ...metadata, managedFields },
  };
}
