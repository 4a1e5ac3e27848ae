import type { KubeObject } from '../objects/kube-object.ts';
import { groupVersion, type Resource } from '../objects/resource.ts';
import { convertObject } from '../schema/convert-object.ts';
import { versionSchema } from '../schema/version-schema.ts';
import { compareValues, type Difference } from './compare-values.ts';
import { difference, type FieldSet, intersection, isEmpty } from './field-set.ts';
import type { Manager, Managers } from './managers.ts';
import { ownedPart, withoutServersFields } from './owned-part.ts';

export interface OwnerChange {
  readonly resource: Resource;
  readonly versionName: string;
  readonly subresource: string | undefined;
  /** Both in the version of the request. */
  readonly before: KubeObject | undefined;
  readonly after: KubeObject;
}

/** Fields of another manager that the change gives another value. */
export interface Taken {
  readonly from: Manager;
  readonly fields: FieldSet;
}

/** Version of a manager's fields, where it is served: `v1` of `example.org/v1`. */
export const servedVersion = (resource: Resource, apiVersion: string): string | undefined =>
  resource.versions.find(({ name }) => groupVersion(resource.group, name) === apiVersion)?.name;

/** How the object changes, seen in each version. */
export function differencesOf(change: OwnerChange): (versionName: string) => Difference {
  const known = new Map<string, Difference>();
  return (versionName) => {
    let seen = known.get(versionName);
    if (seen === undefined) {
      seen = differenceIn(change, versionName);
      known.set(versionName, seen);
    }
    return seen;
  };
}

function differenceIn(change: OwnerChange, versionName: string): Difference {
  const { resource, before, after, subresource } = change;
  const part = (object: KubeObject): unknown =>
    ownedPart(resource, versionName, convertObject(resource, object, versionName), subresource);
  const { changed, removed } = compareValues(
    versionSchema(resource, versionName),
    before === undefined ? {} : part(before),
    part(after),
  );
  return { changed: withoutServersFields(changed), removed: withoutServersFields(removed) };
}

/**
 * The managers after the change without what it takes from them, and what that is. The one called
 * `self` keeps what it has; those of versions that are no longer served have nothing.
 */
export function changeOwners(
  resource: Resource,
  managers: Managers,
  self: string,
  differences: (versionName: string) => Difference,
): { readonly managers: Map<string, Manager>; readonly taken: readonly Taken[] } {
  const kept = new Map<string, Manager>();
  const taken: Taken[] = [];
  for (const [key, manager] of managers) {
    if (key === self) {
      kept.set(key, manager);
      continue;
    }
    const versionName = servedVersion(resource, manager.apiVersion);
    if (versionName === undefined) continue;
    const { changed, removed } = differences(versionName);
    const lost = intersection(manager.fields, changed);
    if (!isEmpty(lost)) taken.push({ from: manager, fields: lost });
    const fields = difference(difference(manager.fields, lost), removed);
    if (!isEmpty(fields)) kept.set(key, { ...manager, fields });
  }
  return { managers: kept, taken };
}
