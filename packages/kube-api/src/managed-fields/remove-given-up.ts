import type { KubeObject } from '../objects/kube-object.ts';
import type { Resource } from '../objects/resource.ts';
import { convertObject } from '../schema/convert-object.ts';
import { versionSchema } from '../schema/version-schema.ts';
import { servedVersion } from './change-owners.ts';
import { difference, emptySet, type FieldSet, intersection, isEmpty, union } from './field-set.ts';
import type { Manager, Managers } from './managers.ts';
import { allFields, withNamedParents, withoutFields } from './value-fields.ts';

export interface GivenUp {
  readonly resource: Resource;
  /** Version of `merged`. */
  readonly versionName: string;
  readonly merged: KubeObject;
  /** What the applier had before. */
  readonly last: Manager;
  /** All, with what the applier has now. */
  readonly managers: Managers;
}

/** The object without what its applier had before and nobody has now. */
export function removeGivenUp({
  resource,
  versionName,
  merged,
  last,
  managers,
}: GivenUp): KubeObject {
  const lastVersion = servedVersion(resource, last.apiVersion);
  if (lastVersion === undefined) return merged;
  const owned = ownedByVersion(resource, managers);
  let pruned = without(
    resource,
    convertObject(resource, merged, lastVersion),
    lastVersion,
    difference(named(resource, lastVersion, last.fields), ownedIn(resource, lastVersion, owned)),
  );
  for (const [other, fields] of owned) {
    if (other === lastVersion) continue;
    // What others have, they may have in another version, in which it is called otherwise.
    const whole = convertObject(resource, merged, other);
    const rest = convertObject(resource, pruned, other);
    const schema = versionSchema(resource, other);
    const lost = difference(allFields(schema, whole), allFields(schema, rest));
    if (isEmpty(intersection(lost, fields))) continue;
    const free = difference(lost, ownedIn(resource, other, owned));
    pruned = without(resource, whole, other, free);
  }
  return convertObject(resource, pruned, versionName);
}

function ownedByVersion(resource: Resource, managers: Managers): ReadonlyMap<string, FieldSet> {
  const owned = new Map<string, FieldSet>();
  for (const { apiVersion, fields } of managers.values()) {
    const version = servedVersion(resource, apiVersion);
    if (version === undefined) continue;
    owned.set(version, union(owned.get(version) ?? emptySet, fields));
  }
  return owned;
}

const named = (resource: Resource, version: string, fields: FieldSet): FieldSet =>
  withNamedParents(versionSchema(resource, version), fields);

const ownedIn = (
  resource: Resource,
  version: string,
  owned: ReadonlyMap<string, FieldSet>,
): FieldSet => named(resource, version, owned.get(version) ?? emptySet);

/** The kind, version and metadata of an object stay, so it stays an object. */
function without(
  resource: Resource,
  object: KubeObject,
  version: string,
  fields: FieldSet,
): KubeObject {
  const { metadata, ...rest } = object;
  const schema = versionSchema(resource, version);
  const metadataFields = fields.children.get('f:metadata') ?? emptySet;
  const left = withoutFields(schema.properties.get('metadata'), metadata, {
    ...metadataFields,
    isMember: false,
  });
  const kept = withoutFields(schema, rest, { ...fields, isMember: false });
  return { ...(kept as Omit<KubeObject, 'metadata'>), metadata: left } as KubeObject;
}
